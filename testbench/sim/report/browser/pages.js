// SPDX-License-Identifier: Apache-2.0
// Opens pages in Chromium and uses them as a reader would.
//   node pages.js RUN.html SWEEP.html [SHOTS]      SHOTS: a folder for screenshots
'use strict';
const assert = require('assert');
const path = require('path');
const {chromium} = require('playwright-core');

const [run, sweep, shots] = process.argv.slice(2);

async function open(browser, file, options = {}) {
  const context = await browser.newContext({viewport: {width: 1250, height: 900}, ...options});
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => { if (!request.url().startsWith('file:')) complaints.push('request: ' + request.url()); });
  await page.goto('file://' + path.resolve(file));
  await page.waitForSelector('section');
  return {page, complaints};
}

/** Canvases on which something has been drawn. */
async function drawn(page) {
  return page.$$eval('canvas', (canvases) => canvases.filter((canvas) => {
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return pixels.some((value) => value !== 0);
  }).length);
}

async function column(page, number) {
  return page.$$eval(`section.long tbody tr td:nth-child(${number})`, (cells) => cells.map((cell) => cell.textContent));
}

async function checkRun(browser) {
  const {page, complaints} = await open(browser, run);
  const canvases = (await page.$$('canvas')).length;
  assert.ok(canvases >= 6, `${canvases} charts`);
  assert.strictEqual(await drawn(page), canvases, 'every chart is drawn');

  const names = await column(page, 1);
  await page.click('section.long th:nth-child(6) button');
  const cycles = (await column(page, 6)).map((text) => Number(text.replace(/,/g, '')));
  assert.deepStrictEqual(cycles, [...cycles].sort((a, b) => b - a), 'most cycles first');
  assert.strictEqual(await page.getAttribute('section.long th:nth-child(6)', 'aria-sort'), 'descending');
  await page.focus('section.long th:nth-child(1) button');
  await page.keyboard.press('Enter');
  assert.deepStrictEqual(await column(page, 1), names, 'the network\'s order again, by keyboard');

  await page.fill('section.long input[type=search]', names[1]);
  const found = await column(page, 1);
  assert.ok(found.length >= 1 && found.length < names.length && found.every((name) => name.includes(names[1])), 'filtered');
  await page.fill('section.long input[type=search]', '');

  const status = () => page.$eval('[aria-label^="Timeline;"]', (frame) => frame.parentElement.querySelector('[role=status]').textContent);
  const whole = await status();
  await page.focus('[aria-label^="Timeline;"]');
  await page.keyboard.press('+');
  assert.notStrictEqual(await status(), whole, 'zoomed');
  await page.keyboard.press('0');
  assert.strictEqual(await status(), whole, 'all again');

  const [heights, own] = await page.evaluate(() => {
    const {labels, datasets} = Chart.getChart(document.querySelector('canvas')).data;
    return [labels.map((_, i) => Math.round(datasets.reduce((height, {data}) => height + data[i], 0))),
      data.report.layers.map((layer) => layer.cycles)];
  });
  assert.deepStrictEqual(heights, own, "the parts of a layer's cycles are its cycles");

  await page.click('button:has-text("Show shares")');
  await page.click('button:has-text("Light / dark")');
  assert.strictEqual(await drawn(page), canvases, 'every chart is drawn in the other theme');
  if (shots) await page.screenshot({path: path.join(shots, 'run-dark.png'), fullPage: true});
  await page.click('button:has-text("Light / dark")');
  await page.click('button:has-text("Show cycles")');
  if (shots) await page.screenshot({path: path.join(shots, 'run-light.png'), fullPage: true});
  await page.emulateMedia({media: 'print'});
  assert.strictEqual(await page.isVisible('section.long input[type=search]'), false, 'no controls on paper');
  assert.deepStrictEqual(complaints, []);
}

async function checkSweep(browser) {
  const {page, complaints} = await open(browser, sweep);
  const canvases = (await page.$$('canvas')).length;
  assert.strictEqual(canvases, 2, 'trade-offs and parallel coordinates');
  assert.strictEqual(await drawn(page), canvases, 'every chart is drawn');
  const best = await page.evaluate(() => Math.min(...data.sweep.points.filter((point) => point.status === 'done').map((point) => point.cycles)));
  const tiles = await page.$$eval('.tile', (all) => all.map((tile) => tile.textContent));
  assert.ok(tiles.some((text) => text.startsWith('Best cycles' + best.toLocaleString('en-US'))), 'cycles are exact: ' + tiles);
  const cells = () => page.$$eval('table.heat td', (all) => all.map((cell) => cell.textContent));
  const before = await cells();
  assert.ok(before.filter((text) => text !== '–').length > 4, 'the heat map is filled');
  await page.selectOption('section:has(table.heat) label:has-text("Value") select', 'area_mm2');
  assert.notDeepStrictEqual(await cells(), before, 'another value, another map');
  await page.selectOption('label:has-text("Up") select', 'area_mm2');
  assert.strictEqual(await drawn(page), canvases, 'drawn again');
  const rows = (await column(page, 1)).length;
  await page.fill('section.long input[type=search]', 'os');
  const found = (await column(page, 1)).length;
  assert.ok(found > 0 && found < rows, 'filtered');
  if (shots) await page.screenshot({path: path.join(shots, 'sweep.png'), fullPage: true});
  assert.deepStrictEqual(complaints, []);
}

async function checkWidth(browser, file, name, width, media) {
  const {page, complaints} = await open(browser, file, {viewport: {width, height: 800}, colorScheme: 'dark'});
  await page.emulateMedia({media});
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 1, `${name}: the page is ${overflow} pixels wider than ${width}`);
  if (shots) await page.screenshot({path: path.join(shots, `${name}.png`), fullPage: true});
  assert.deepStrictEqual(complaints, []);
}

(async () => {
  const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ['--no-sandbox']});
  try {
    await checkRun(browser);
    await checkSweep(browser);
    for (const [file, name] of [[run, 'run'], [sweep, 'sweep']]) {
      await checkWidth(browser, file, `${name}-telephone`, 390, 'screen');
      await checkWidth(browser, file, `${name}-paper`, 740, 'print');
    }
  } finally {
    await browser.close();
  }
})().catch((error) => { console.error(error); process.exit(1); });
