// Fill workbooks with ExcelJS: node with_exceljs.mjs BLANK CELLS SAVED ...
import { readFileSync } from "node:fs";
import ExcelJS from "exceljs";

const value = {
  text: (text) => text,
  number: Number,
  date: (text) => new Date(`${text}T00:00:00Z`), // ExcelJS counts in UTC
};

const files = process.argv.slice(2);
for (let at = 0; at < files.length; at += 3) {
  const [blank, cells, saved] = files.slice(at, at + 3);
  const workbook = new ExcelJS.Workbook();
  await workbook.xlsx.readFile(blank);
  for (const cell of JSON.parse(readFileSync(cells, "utf8"))) {
    workbook.getWorksheet(cell.sheet).getCell(cell.cell).value = value[cell.type](cell.value);
  }
  await workbook.xlsx.writeFile(saved);
}
