import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
const [out, ...pairs] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", chromiumSandbox: false, args: ["--disable-gpu","--no-first-run"] });
for (const pair of pairs) {
  const [name, path] = pair.split("=");
  for (const [kind, w, h, scheme] of [["desktop",1280,900,"light"],["phone",320,640,"light"],["dark",1280,900,"dark"]]) {
    const page = await browser.newPage({ viewport: { width: w, height: h }, colorScheme: scheme });
    await page.goto(pathToFileURL(path).href);
    await page.screenshot({ path: `${out}/${name}-${kind}.png`, fullPage: true });
    console.log(name, kind, await page.evaluate("document.documentElement.scrollWidth + 'x' + document.documentElement.scrollHeight"));
    await page.close();
  }
  const page = await browser.newPage();
  await page.goto(pathToFileURL(path).href);
  await page.pdf({ path: `${out}/${name}.pdf`, preferCSSPageSize: true, printBackground: false });
  await page.close();
}
await browser.close();
