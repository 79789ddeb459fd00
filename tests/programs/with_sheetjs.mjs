// Fill workbooks with SheetJS: node with_sheetjs.mjs BLANK CELLS SAVED ...
import { readFileSync } from "node:fs";
import XLSX from "xlsx";

const value = {
  text: (text) => text,
  number: Number,
  date: (text) => new Date(`${text}T00:00:00`),
};

const files = process.argv.slice(2);
for (let at = 0; at < files.length; at += 3) {
  const [blank, cells, saved] = files.slice(at, at + 3);
  const workbook = XLSX.readFile(blank);
  for (const cell of JSON.parse(readFileSync(cells, "utf8"))) {
    const sheet = workbook.Sheets[cell.sheet];
    XLSX.utils.sheet_add_aoa(sheet, [[value[cell.type](cell.value)]], { origin: cell.cell });
  }
  XLSX.writeFile(workbook, saved);
}
