// A real browser without a window: Debian's Chromium, by Playwright. One for all cases of a file.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, PATIENCE } from './wait.mjs';

const target = new URL('../../target/', import.meta.url);

/** What `cargo xtask test` has installed there. */
export const installed = createRequire(new URL('page-tests/', target));
const { chromium } = installed('playwright-core');

/** Not even a name is looked up: a page speaks to the server of its case alone. */
const ARGS = ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1', '--no-proxy-server'];

/** The promise of it, so that cases at the same time start one. */
let browser;
after(async () => (await browser)?.close());

function launch() {
  const find = 'command -v chromium || command -v chromium-browser || command -v google-chrome';
  const executablePath = execFileSync('sh', ['-c', find], { encoding: 'utf8' }).trim();
  return chromium.launch({ executablePath, args: ARGS, chromiumSandbox: process.getuid() !== 0 });
}

export const DESKTOP = { viewport: { width: 1280, height: 900 } };
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/** A page of a browser that was never used before. `lastLook(page)` comes at the end of the case. */
export async function newPage(t, options = DESKTOP, lastLook = () => {}) {
  browser ??= launch();
  const context = await (await browser).newContext({ locale: 'en-US', reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  t.after(async () => {
    try {
      await lastLook(page);
    } finally {
      await context.close();
    }
  });
  return page;
}

/** Opens the dashboard at a place of it, which is what follows `#`. The case ends with a look for what must never be. */
export async function openDashboard(t, base, place = '/', options = DESKTOP) {
  const page = await newPage(t, options, assertHarmless);
  page.wrong = [];
  page.on('pageerror', (error) => page.wrong.push(String(error)));
  page.on('console', (message) => {
    // A request that failed is logged as well; what the page makes of that is for the case to see.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load')) page.wrong.push(message.text());
  });
  await page.goto(`${base}/#${place}`);
  return page;
}

/** Nothing that users wrote has run or become an element, no script has failed, and the page's policy held. */
async function assertHarmless(page) {
  assert.deepEqual(page.wrong, []);
  assert.equal(await page.evaluate(() => typeof ran), 'undefined');
  assert.equal(await page.locator('main script, main img, main iframe').count(), 0);
}

export async function go(page, place) {
  await page.evaluate((to) => { location.hash = to; }, place);
}

export const placeOf = (page) => decodeURIComponent(new URL(page.url()).hash.slice(1));

/** Waits until the page shows all these texts. The last one may be `{patience}`, in milliseconds. */
export async function shows(page, ...texts) {
  const { patience } = typeof texts.at(-1) === 'object' ? texts.pop() : {};
  let shown = '';
  const look = async () => {
    shown = await page.locator('body').innerText();
    return texts.every((text) => shown.includes(text));
  };
  try {
    await eventually('', look, patience);
  } catch {
    assert.fail(`the page does not show ${JSON.stringify(texts)}, but: ${shown}`);
  }
}

/** Waits until the page does not show this text any more. */
export function hides(page, text) {
  return eventually(`the page hides ${text}`, async () => !(await page.locator('body').innerText()).includes(text));
}

/** The button or link whose name begins so, in the dialog if there is one. */
export async function press(page, name) {
  const isAsked = await page.locator('dialog[open]').count();
  const within = page.locator(isAsked ? 'dialog[open]' : 'body');
  const begins = { name: new RegExp(`^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`) };
  await within.getByRole('button', begins).or(within.getByRole('link', begins)).first().click();
}

/** Keeps what the page looks like, for a person to look at. */
export async function keepPicture(page, name) {
  const folder = new URL('screenshots/', target);
  await mkdir(folder, { recursive: true });
  await page.locator('.waiting').waitFor({ state: 'detached' });
  // What is behind a dialog is dark only as far as the window goes.
  const fullPage = await page.locator('dialog[open]').count() === 0;
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, folder)), animations: 'disabled', fullPage });
}
