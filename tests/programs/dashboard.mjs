// Opens a dashboard as staff do, and tells what they meet: node dashboard.mjs CHROMIUM INDEX REPORT
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [program, index, report] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const args = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath: program, chromiumSandbox: false, args });
const told = { asked: [], said: [], violations: {}, wide: {} };

async function open(path, options = {}) {
  const page = await browser.newPage(options);
  page.on("request", (request) => told.asked.push(request.url()));
  page.on("console", (message) => told.said.push(message.text()));
  page.on("pageerror", (error) => told.said.push(String(error)));
  page.on("dialog", (dialog) => { told.said.push("dialog"); dialog.dismiss(); });
  await page.goto(pathToFileURL(path).href);
  return page;
}

for (const [name, path] of Object.entries({ index, report })) {
  for (const colorScheme of ["light", "dark"]) {
    const page = await open(path, { colorScheme, viewport: { width: 1280, height: 900 } });
    await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");
    await page.evaluate(axe);
    const rules = colorScheme === "light" ? "{}" : "{ runOnly: ['color-contrast'] }"; // the dark differs in colours alone
    const found = await page.evaluate(`axe.run(${rules})`);
    told.violations[`${name} ${colorScheme}`] = found.violations.map(
      (one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`);
    await page.close();
  }
  const phone = await open(path, { viewport: { width: 320, height: 640 } });
  told.wide[name] = await phone.evaluate("document.documentElement.scrollWidth");
  await phone.close();
}

const plain = await open(index, { javaScriptEnabled: false });
told.withoutScript = { rows: await plain.locator("#reports-list tbody tr").count(), tools: await plain.locator(".tools").count() };
await plain.close();

const paper = await open(index);
await paper.emulateMedia({ media: "print" });
await paper.evaluate("document.querySelector('.sheet:last-of-type table').remove()"); // as a list that is empty
told.printed = {
  heads: await paper.evaluate("[...new Set([...document.querySelectorAll('th button')].map((one) => getComputedStyle(one).display))]"),
  breaks: await paper.evaluate("[...document.querySelectorAll('.sheet')].map((one) => getComputedStyle(one).breakBefore)"),
};
await paper.close();

const page = await open(index, { viewport: { width: 1280, height: 900 } });
await page.keyboard.press("Tab");
told.firstStop = await page.evaluate("document.activeElement.getAttribute('href')");
const list = page.locator("#reports-list"), rows = list.locator("tbody tr");
const column = (at) => list.evaluate(
  (table, at) => [...table.tBodies[0].rows].filter((row) => !row.hidden).map((row) => row.cells[at].textContent.trim()), at);
const owner = list.locator("thead button").nth(1);
told.before = await column(1);
await owner.focus();
await page.keyboard.press("Enter");
told.ascending = { rows: await column(1), says: await list.locator("thead th").nth(1).getAttribute("aria-sort") };
await owner.click();
told.descending = { rows: await column(1), says: await list.locator("thead th").nth(1).getAttribute("aria-sort") };
const tools = page.locator("#reports-section .tools"), first = (await column(0))[0];
await tools.locator("input").fill(first.toLowerCase());
told.filtered = { wanted: first, rows: await column(0), says: await tools.locator("output").textContent() };
await list.evaluate((table) => { table.dataset.most = "3"; });
await tools.locator("input").fill("");
told.few = { rows: (await column(0)).length, says: await tools.locator("output").textContent() };
await list.evaluate((table) => { table.dataset.most = "1000"; });
const chooser = tools.locator("select").last(), choice = await chooser.locator("option").nth(1).textContent();
await chooser.selectOption(choice);
const at = await list.evaluate((table) => [...table.tHead.rows[0].cells].findLastIndex((head) => head.classList.contains("s")));
told.chosen = { wanted: choice, rows: [...new Set(await column(at))] };
await rows.locator("visible=true").first().locator("a").first().click();
await page.waitForURL(/reports/);
told.followed = { url: page.url(), heading: await page.locator("h1").textContent(), tables: await page.locator("table").count() };
await browser.close();
process.stdout.write(JSON.stringify(told));
