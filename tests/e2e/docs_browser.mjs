// Swagger UI in a real browser, driven over Chromium's DevTools pipe: it loads, sends a prompt with a key by Try it out, shows the answer,
// asks no other origin for anything, and its Content-Security-Policy blocks nothing that it needs.
//   AIM_BUSINESS, AIM_DATA, AIM_KEY as for the other tests; AIM_SCREENSHOTS: a folder for PNG files (optional)
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';

const deadlineMs = 60_000;
const pause = ms => new Promise(done => setTimeout(done, ms));

class Browser {
  constructor() {
    this.profile = mkdtempSync(join(tmpdir(), 'aim-browser-'));
    const flags = ['--headless', '--remote-debugging-pipe', `--user-data-dir=${this.profile}`, '--no-first-run', '--disable-gpu', '--disable-quic',
      '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--no-proxy-server',
      // Only our own pages are shown, and in containers there is nothing to make its sandbox of.
      '--no-sandbox', '--window-size=1200,1400'];
    this.process = spawn('chromium', [...flags, 'about:blank'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    this.ended = new Promise(done => this.process.once('exit', done));
    this.process.once('error', error => { throw error; });
    this.waiting = new Map();
    this.listeners = [];
    this.next = 1;
    let rest = '';
    this.process.stdio[4].on('data', bytes => {
      const parts = (rest + bytes).split('\0');
      rest = parts.pop();
      for (const part of parts) this.received(JSON.parse(part));
    });
  }

  received(message) {
    if (message.id === undefined) {
      for (const listener of this.listeners) listener(message);
      return;
    }
    const { done, failed, method } = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.error) failed(new Error(`${method}: ${message.error.message}`));
    else done(message.result);
  }

  call(method, params = {}, sessionId = undefined) {
    const id = this.next++;
    return new Promise((done, failed) => {
      this.waiting.set(id, { done, failed, method });
      this.process.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + '\0');
    });
  }

  async close() {
    this.call('Browser.close').catch(() => {});
    const patience = setTimeout(() => this.process.kill('SIGKILL'), 10_000);
    await this.ended;
    clearTimeout(patience);
    for (const pipe of this.process.stdio) pipe?.destroy();
    // Its helper processes may write for a moment longer.
    for (let tries = 0; tries < 100; ++tries) {
      try {
        rmSync(this.profile, { recursive: true, force: true });
        return;
      } catch {
        await pause(100);
      }
    }
  }
}

class Page {
  static async open(browser, url) {
    const page = new Page();
    page.browser = browser;
    page.complaints = [];
    page.foreign = [];
    const { targetId } = await browser.call('Target.createTarget', { url: 'about:blank' });
    page.session = (await browser.call('Target.attachToTarget', { targetId, flatten: true })).sessionId;
    const origin = new URL(url).origin;
    browser.listeners.push(({ method, params, sessionId }) => {
      if (sessionId !== page.session) return;
      if (method === 'Log.entryAdded' && params.entry.level === 'error') page.complaints.push(params.entry.text);
      if (method === 'Runtime.exceptionThrown') page.complaints.push(params.exceptionDetails.text);
      if (method === 'Network.requestWillBeSent') {
        const asked = params.request.url;
        if (!asked.startsWith(origin + '/') && !asked.startsWith('data:') && !asked.startsWith('blob:')) page.foreign.push(asked);
      }
    });
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await page.call(domain + '.enable');
    await page.call('Page.navigate', { url });
    return page;
  }

  call(method, params) { return this.browser.call(method, params, this.session); }

  async evaluate(expression) {
    const { result, exceptionDetails } = await this.call('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value;
  }

  async until(expression) {
    const end = Date.now() + deadlineMs;
    for (;;) {
      const value = await this.evaluate(expression);
      if (value) return value;
      assert.ok(Date.now() < end, `waited in vain for ${expression}; complaints: ${this.complaints.join('; ')}; the page: ${await this.evaluate('document.body.innerText.slice(0, 3000)')}`);
      await pause(50);
    }
  }

  async click(selector) {
    await this.until(`!!document.querySelector(${JSON.stringify(selector)})`);
    await this.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
  }

  // As a keyboard would: what was there is replaced.
  async type(selector, text) {
    await this.until(`!!document.querySelector(${JSON.stringify(selector)})`);
    await this.evaluate(`(e => { e.focus(); e.select(); })(document.querySelector(${JSON.stringify(selector)}))`);
    await this.call('Input.insertText', { text });
  }

  async screenshot(name) {
    if (!process.env.AIM_SCREENSHOTS) return;
    const { data } = await this.call('Page.captureScreenshot', { format: 'png' });
    writeFileSync(join(process.env.AIM_SCREENSHOTS, name + '.png'), Buffer.from(data, 'base64'));
  }

  // Opens an operation, sends it, and returns the status and body that Swagger UI shows.
  async tryOut(operation, body) {
    const block = `[id$="-${operation}"]`;
    await this.click(`${block} .opblock-summary-control`);
    // The button is there before the operation's references are resolved; a click until then would be lost, and the button dead after it.
    await this.until(`!!document.querySelector(${JSON.stringify(block + ' .responses-table .response')})`);
    if (body !== undefined) await this.type(`${block} textarea.body-param__text`, body);
    await this.click(`${block} button.execute`);
    const status = await this.until(`document.querySelector(${JSON.stringify(block + ' .live-responses-table tbody .response-col_status')})?.innerText`);
    const shown = await this.until(`document.querySelector(${JSON.stringify(block + ' .live-responses-table tbody .response-col_description')})?.innerText`);
    return { status: status.trim(), shown };
  }

  checkConduct() {
    assert.deepEqual(this.foreign, [], 'the page asked another origin');
    assert.deepEqual(this.complaints, [], 'the browser complained');
  }
}

const operations = async (base, path, method) => (await (await fetch(base + '/openapi.json')).json()).paths[path][method].operationId;

const browser = new Browser();
try {
  const business = process.env.AIM_BUSINESS;
  const page = await Page.open(browser, business + '/docs');
  await page.until(`document.querySelectorAll('.opblock').length >= 5`);
  const prompt = await operations(business, '/api/v1/prompts', 'post');

  await page.click('.auth-wrapper button.authorize');
  await page.type('.auth-container input[type=text], .auth-container input[type=password]', process.env.AIM_KEY);
  await page.click('.auth-btn-wrapper button.authorize');
  await page.click('.auth-btn-wrapper button.btn-done');
  const answer = await page.tryOut(prompt, JSON.stringify({ prompt: 'Hello from a browser', model: 'ok' }));
  assert.equal(answer.status, '200', answer.shown);
  assert.match(answer.shown, /A fine answer\./);
  await page.evaluate(`document.querySelector('[id$="-${prompt}"] .live-responses-table').scrollIntoView()`);
  await page.screenshot('docs-answer');
  await page.evaluate('scrollTo(0, 0)');
  await page.screenshot('docs');
  page.checkConduct();

  const data = process.env.AIM_DATA;
  const other = await Page.open(browser, data + '/docs');
  await other.until(`document.querySelectorAll('.opblock').length >= 5`);
  const models = await other.tryOut(await operations(data, '/models', 'get'));
  assert.equal(models.status, '200', models.shown);
  assert.match(models.shown, /"name": "ok"/);
  await other.screenshot('docs-data');
  other.checkConduct();
  console.log('Swagger UI of both APIs works in a browser');
} finally {
  await browser.close();
}
