"""Files of public registers, in every spelling: read, kept as dated snapshots, and asked by the rules."""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from openpyxl import Workbook

import cli
from intake.registers import RegisterFile, read_records, read_register, source_of
from intake.submission import Submission
from outputs.checking import known_of
from outputs.imports.known_files import snapshots
from outputs.register.register import Register
from templates.round import Round
from templates.tables import TableError
from tests.reports import FORM, report
from validation.check import judge
from validation.known import unchecked

NOW = datetime(2024, 2, 5, 9, tzinfo=UTC)
OWNER, UNIT, SCHOOL, OTHER = "920125298", "974760673", "974761319", "940039541"
RELATIONS = [
    {"Relasjonstype": {"Navn": "Naboskap"}, "Enhet": {"Organisasjonsnummer": OTHER, "Navn": "Nabo"}},
    {"Relasjonstype": {"Navn": "Eierstruktur"}, "Enhet": {"Organisasjonsnummer": OWNER, "Navn": "Asker kommune"}},
]
V4 = {
    "Organisasjonsnummer": UNIT, "Navn": "Bjørnebær barnehage", "Fylkesnummer": "32", "Kommunenummer": "3203",
    "ErAktiv": True, "ErSkole": False, "ErBarnehage": True, "DatoEndret": "2023-11-01T00:00:00",
}  # fmt: skip
V3 = {
    "Orgnr": UNIT, "Navn": "Bjørnebær barnehage", "Fylkesnr": "30", "Kommunenr": "3025",
    "ErAktiv": True, "ErBarnehage": True, "ErSpesialskole": False, "ErInaktivIBasil": False,
}  # fmt: skip
DETAIL = V4 | {
    "FulltNavn": "Bjørnebær barnehage", "Kommune": {"Kommunenummer": "3203", "Navn": "Asker"},
    "AnsatteFra": 10, "AnsatteTil": 19, "ForeldreRelasjoner": RELATIONS, "Barnehagekategorier": ["Ordinær"],
}  # fmt: skip
BREG_HEAD = (
    '"organisasjonsnummer","navn","organisasjonsform.kode","naeringskode1.kode","antallAnsatte",'
    '"beliggenhetsadresse.kommunenummer","beliggenhetsadresse.kommune","overordnetEnhet","nedleggelsesdato"\n'
)
BREG = f'{BREG_HEAD}"{UNIT}","BJØRNEBÆR BARNEHAGE","BEDR","88.911","19","3203","ASKER","{OWNER}",""\n'


def page(*items: dict[str, Any], total: int | None = None, pages: int = 1) -> dict[str, Any]:
    found = len(items) if total is None else total
    head = {"Sidenummer": 1, "AntallPerSide": len(items), "AntallSider": pages, "TotaltAntallEnheter": found}
    return {**head, "EnhetListe": list(items)}


def read(path: Path, source: str = "") -> RegisterFile:
    records = read_records(path)
    found = source_of(path, records, source)
    assert found is not None
    return read_register(path, records, found, FORM)


def write(folder: Path, name: str, content: object, encoding: str = "utf-8") -> Path:
    path = folder / name
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    path.write_bytes(text.encode(encoding))
    return path


def as_csv(item: dict[str, Any], delimiter: str = ";") -> str:
    flat = {key: value for key, value in item.items() if not isinstance(value, dict | list)}
    return delimiter.join(flat) + "\n" + delimiter.join(map(str, flat.values())) + "\n"


# what can be read

PLACE = {"kommunenr": "3203", "kommune": "Asker", "county": "32", "county_name": "Akershus"}
LISTED = PLACE | {
    "name": "Bjørnebær barnehage", "active": "1", "owner": "", "owner_name": "", "employees": "", "is_owner": "",
}  # fmt: skip
OWNED = {"owner": OWNER, "owner_name": "Asker kommune", "employees": "19"}
READABLE: dict[str, tuple[str, object, str, str, dict[str, str]]] = {
    "v4, a page of the list": ("a.json", page(V4), "utf-8", "NBR", {}),
    "v4, several pages": ("a.json", [page(V4,
                         total=2, pages=2), page(V4 | {"Organisasjonsnummer": OTHER}, total=2, pages=2)],
                         "utf-8", "NBR",
                         {}),
    "v4, a list": ("a.json", [V4], "utf-8", "NBR", {}),
    "v4, one unit in detail": ("a.json", DETAIL, "utf-8", "NBR", OWNED),
    "v4, details in a list": ("a.json", [DETAIL], "utf-8", "NBR", OWNED),
    "v3, an older kommunenr": ("a.json", page(V3), "utf-8", "NBR", {}),
    "v3, inactive": ("a.json", [V3 | {"ErInaktivIBasil": True}], "utf-8", "NBR", {"active": "0"}),
    "v4, inactive": ("a.json", [V4 | {"ErAktiv": False}], "utf-8", "NBR", {"active": "0"}),
    "CSV with a mark": ("a.csv", as_csv(V4), "utf-8-sig", "NBR", {}),
    "CSV of Norwegian Excel": ("a.csv", as_csv(V4), "cp1252", "NBR", {}),
    "CSV with commas": ("a.csv", as_csv(V3, ","), "utf-8", "NBR", {}),
    "text of Excel in Unicode": ("a.txt", as_csv(V4, "\t"), "utf-16", "NBR", {}),
    "schools": ("a.json", [V4 | {"ErSkole": True, "ErBarnehage": False}], "utf-8", "NSR", {}),
    "Enhetsregisteret": ("underenheter.csv", BREG, "utf-8", "Enhetsregisteret",
                         {"name": "BJØRNEBÆR BARNEHAGE", "owner": OWNER, "employees": "19"}),
    "Enhetsregisteret, closed": ("underenheter.csv", BREG.replace(',""\n', ',"2023-12-31"\n'), "utf-8",
                                 "Enhetsregisteret",
                                 {"name": "BJØRNEBÆR BARNEHAGE", "owner": OWNER, "employees": "19", "active": "0"}),
}  # fmt: skip


@pytest.mark.parametrize("what", READABLE)
def test_every_spelling_gives_the_same_rows(what: str, tmp_path: Path) -> None:
    name, content, encoding, source, differs = READABLE[what]

    found = read(write(tmp_path, name, content, encoding))

    assert found.source == source
    assert found.rows[UNIT] == LISTED | differs


def test_an_excel_file_is_read_when_its_register_is_named(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(list(V4))
    sheet.append([str(value) for value in V4.values()])
    book.save(tmp_path / "nbr.xlsx")

    assert read(tmp_path / "nbr.xlsx", "nbr").rows[UNIT] == LISTED


def test_what_cannot_be_used_is_counted_and_left_out(tmp_path: Path) -> None:
    abroad, wrong = V4 | {"Organisasjonsnummer": None}, V4 | {"Organisasjonsnummer": "974760670"}

    found = read(write(tmp_path, "a.json", [V4, V4, abroad, wrong]))

    assert (len(found.rows), found.repeated, found.without_number) == (1, 1, 1)
    assert found.bad_numbers == ("row 4 «974760670»",)


# what is refused

BAD: dict[str, tuple[str, bytes, str]] = {
    "nothing": ("a.json", b"  ", "a.json is empty; fetch it again"),
    "half a JSON file": ("a.json", json.dumps(page(V4)).encode()[:-40], "ends in the middle; fetch it again"),
    "no JSON": ("a.json", b'{"EnhetListe": nei}', "is no JSON at line 1"),
    "one page of many": ("a.json", json.dumps(page(V4, total=16_000, pages=16)).encode(),
                         "has 1 of 16000 units (1 of 16 pages); fetch all pages"),
    "half a CSV file": ("a.csv", (as_csv(V4) + "974761319;Halv").encode(),
                         "row 3 has 2 of 8 columns: the file seems to be cut off"),
    "a broken line": ("a.csv", (as_csv(V4) + "974761319;Halv\n" + as_csv(V4).splitlines()[1]).encode(),
                         "row 3 has 2 of 8 columns: a line is broken in two"),
    "letters spoilt": ("a.csv", as_csv(V4).encode().decode("cp1252").encode(),
                         "a.csv row 2 has letters that were spoilt"),
    "no text": ("a.csv", b"\x00\x01\x02ErAktiv\x00", "is no text that can be read"),
    "no numbers": ("a.csv", b"Navn;ErAktiv;ErBarnehage\nSol;true;true\n",
                         "has no column «Organisasjonsnummer» (or Organisasjonsnummer, Orgnr or OrgNr)"),
    "numbers elsewhere": ("a.csv", b"Organisasjonsnummer;Navn;ErAktiv;ErBarnehage\nSol;1;true;true\n",
                         "has no organisation numbers where they should be (row 2 «Sol»)"),
    "two sayings of one": ("a.json", json.dumps([V4, V4 | {"Navn": "Annet"}]).encode(),
                         f"says different things of the same number: {UNIT} in rows 1 and 2"),
    "which register": ("a.json", json.dumps([{"Orgnr": UNIT, "Navn": "Sol", "ErAktiv": True}]).encode(),
                         "may be from NBR or NSR; say which with --source"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_refused_with_where_and_what_to_do(what: str, tmp_path: Path) -> None:
    name, content, said = BAD[what]
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(TableError) as error:
        read(path)

    assert said in str(error.value)


def test_the_name_of_a_file_may_tell_which_register_it_is(tmp_path: Path) -> None:
    row = {"Orgnr": UNIT, "Navn": "Sol", "ErAktiv": True}

    assert read(write(tmp_path, "NSR-enheter.json", [row])).source == "NSR"


# in a round

SETTINGS = 'form = "behovsmelding-2024"\n[office]\nname = "Kontoret"\nemail = "post@example.no"\n'


@dataclass(frozen=True)
class Place:
    """A round with one report taken in before any register."""

    folder: Path
    report: Submission

    @property
    def round(self) -> Round:
        return Round(self.folder)

    def run(self, *words: str | Path, expect: int = 0) -> Result:
        result = CliRunner().invoke(cli.main, ["--round", str(self.folder), *map(str, words)])
        assert result.exit_code == expect, result.output
        return result

    def units(self, **changed: object) -> list[dict[str, Any]]:
        """What NBR says of the report's units: the same as the owner, but for what is changed."""
        owner = {"Organisasjonsnummer": self.report.recipient, "Navn": "Eieren"}
        relations = [{"Relasjonstype": {"Navn": "Eierstruktur"}, "Enhet": owner}]
        return [
            {
                "Organisasjonsnummer": row.answers["v_orgnr"].value, "Navn": row.answers["v_navn"].value,
                "Kommunenummer": row.answers["v_kommunenr"].value, "ErAktiv": True, "ErBarnehage": True,
                "AnsatteTil": 99, "ForeldreRelasjoner": relations,
            } | changed
            for row in self.report.sheets["virksomheter"].rows if row.answers["v_orgnr"].value
        ]  # fmt: skip

    def bring(self, name: str, items: list[dict[str, Any]], dated: str) -> None:
        path = write(self.folder, name, items)
        self.run("import", path, "--dated", dated, "--yes", "--by", "Kari Holm")

    def found(self) -> list[tuple[str, str]]:
        register = Register.open(self.round.register, FORM, known_of(self.round))
        return [(one.rule, one.message["nb"]) for one in register.findings(self.report.report)]


SCHOOLS = [
    {"Organisasjonsnummer": SCHOOL, "Navn": "Skolen", "Kommunenummer": "3203", "ErAktiv": True, "ErSkole": True}
    | {"AnsatteTil": 40, "ForeldreRelasjoner": RELATIONS}
]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "round.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "recipients.csv").write_text("orgnr;navn;type;epost;språk\n", encoding="utf-8")
    taken = report("rek_privat", "nb")
    place = Place(tmp_path, taken)
    Register.open(place.round.register, FORM).merge(judge([taken], FORM), NOW)
    return place


def test_a_rule_is_unchecked_until_the_registers_are_whole(place: Place) -> None:
    place.bring("nbr.json", place.units(), "2024-01-12")

    waiting = dict(unchecked(FORM, known_of(place.round)))
    assert waiting["P02"] == "the register «units» is not imported; import NSR"
    assert (
        "P02 (the register «units» is not imported" in place.run("status").stdout or "P02" in place.run("status").stdout
    )

    place.bring("nsr.json", SCHOOLS, "2024-01-10")
    assert (
        set(dict(unchecked(FORM, known_of(place.round)))) & {"S05", "S17", "P02", "P03", "P04", "P05", "P08", "C29"}
        == set()
    )
    assert place.found() == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"Navn": "Helt annet"}, ("P03", "mens NBR per 12.01.2024 sier «Helt annet»")),
        ({"ErAktiv": False}, ("P04", "står som nedlagt eller inaktiv i NBR per 12.01.2024")),
        ({"Kommunenummer": "3301"}, ("P08", "NBR per 12.01.2024 plasserer virksomheten i Drammen")),
        ({"AnsatteTil": 1}, ("C29", "men i NBR per 12.01.2024 har virksomheten 1 ansatte")),
        ({"Organisasjonsnummer": OTHER}, ("P02", "i NBR, NSR per 10.01.2024")),
    ],
)
def test_a_register_judges_reports_that_came_before_it(
    place: Place, changed: dict[str, object], said: tuple[str, str]
) -> None:
    place.bring("nbr.json", place.units(**changed), "2024-01-12")
    place.bring("nsr.json", SCHOOLS, "2024-01-10")

    assert [(rule, said[1] in message) for rule, message in place.found() if rule == said[0]] == [(said[0], True)]
    assert "between reports" not in place.run("verify", expect=1).stdout, "the made-up original is missing, no more"


def test_the_newest_snapshot_counts_and_the_older_are_kept(place: Place) -> None:
    place.bring("nsr.json", SCHOOLS, "2024-01-10")
    place.bring("nbr.json", place.units(Navn="Helt annet"), "2024-01-12")
    place.bring("nbr.json", place.units(), "2024-01-20")
    assert place.found() == []

    place.bring("nbr.json", place.units(Navn="Enda eldre"), "2023-12-01")

    assert place.found() == []
    assert [path.name for path in sorted(place.round.known.glob("NBR*"))] == [
        "NBR-2023-12-01-01.json", "NBR-2024-01-12-01.json", "NBR-2024-01-20-01.json",
    ]  # fmt: skip
    assert snapshots(place.round)["NBR"].dated.isoformat() == "2024-01-20"


def test_the_differences_are_shown_before_anything_is_kept(place: Place) -> None:
    place.bring("nbr.json", place.units(), "2024-01-12")
    path = write(place.folder, "nyere.json", [*place.units(Navn="Nytt navn"), V4])

    told = place.run("import", path, "--dated", "2024-02-01", "--dry-run").stdout
    assert "NBR per 01.02.2024, 2 units, 2 active." in told
    assert "Since 12.01.2024: 1 new, 1 changed, 0 gone." in told
    assert snapshots(place.round)["NBR"].dated.isoformat() == "2024-01-12"

    document = json.loads(place.run("import", path, "--dated", "2024-02-01", "--json", "--yes").stdout)
    assert {key: document[key] for key in ("kind", "source", "dated", "before", "rows", "new", "applied")} == {
        "kind": "register", "source": "NBR", "dated": "2024-02-01", "before": "2024-01-12", "rows": 2, "new": 1,
        "applied": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "day"), [("nbr-2024-01-15.json", "15.01.2024"), ("nbr-2024-13-15.json", "01.02.2024")]
)
def test_the_day_of_a_register_is_the_one_in_the_name_of_its_file_or_the_files_own(
    place: Place, name: str, day: str
) -> None:
    path = write(place.folder, name, place.units())
    os.utime(path, (datetime(2024, 2, 1, 12, tzinfo=UTC).timestamp(),) * 2)

    told = place.run("import", path, "--dry-run").stdout

    assert f"NBR per {day} (the file's own date; say another with --dated)" in told


def test_a_file_with_far_fewer_units_is_wondered_at(place: Place) -> None:
    place.bring("nbr.json", [*place.units(), V4, V4 | {"Organisasjonsnummer": OTHER}], "2024-01-12")

    told = place.run("import", write(place.folder, "halv.json", [V4]), "--dated", "2024-02-01", "--dry-run").stdout

    assert "far fewer units than before: is it half a file?" in told


def test_a_changed_or_lost_snapshot_is_found_by_verify(place: Place) -> None:
    place.bring("nbr.json", place.units(), "2024-01-12")
    [path] = place.round.known.glob("*.json")

    path.write_bytes(path.read_bytes().replace(b"true", b"null") + b" ")
    assert "is not what was imported" in place.run("verify", expect=1).stdout
    path.unlink()
    assert "NBR-2024-01-12-01.json is lost" in place.run("verify", expect=1).stdout


def test_a_table_of_something_else_is_refused(place: Place) -> None:
    path = write(place.folder, "noe.csv", "farge;tall\nrød;1\n")

    assert "is nothing we know" in place.run("import", path, expect=2).stderr
