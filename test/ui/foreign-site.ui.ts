import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type APIRequestContext, type Page } from '@playwright/test';
import { expect, PASSWORD, test } from './support';

const NEXT = 'battery staple 8';

/** Where somebody else's page is, in the same browser: on another site, and next door. */
const FOREIGN = [
  ['another site', '127.0.0.1'],
  ['another port of the same site', 'localhost'],
] as const;

let server: Server;
test.beforeAll(async () => {
  server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>Kittens</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
});
test.afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function openForeign(page: Page, host: string): Promise<Page> {
  const foreign = await page.context().newPage();
  // It listens, so it has an address.
  await foreign.goto(`http://${host}:${String((server.address() as AddressInfo).port)}/`);
  return foreign;
}

/** A request that changes something, if it is taken. */
type Write = readonly [method: string, path: string, fields: Readonly<Record<string, string>>];

/** Every one that the service describes, as `POST /user/password`. */
function describedWrites(): string[] {
  const { paths } = JSON.parse(readFileSync('frontend/openapi.json', 'utf8')) as {
    paths: Record<string, object>;
  };
  return Object.entries(paths)
    .flatMap(([path, methods]) => Object.keys(methods).map((m) => `${m.toUpperCase()} ${path}`))
    .filter((route) => !route.startsWith('GET '))
    .sort();
}

/** These know nobody by a cookie, and set none. */
const WITHOUT_COOKIE = [
  'POST /user/create',
  'POST /user/login',
  'POST /user/token',
  'POST /user/password/forgot',
  'POST /user/password/reset',
  'POST /user/email/revert',
];

/** What is true of somebody, and must stay so. */
async function stateOf(api: APIRequestContext): Promise<unknown> {
  const { cookies } = await api.storageState();
  const me: unknown = await (await api.get('/api/user/me')).json();
  const { items } = (await (await api.get('/api/user/sessions')).json()) as {
    items: { id: string }[];
  };
  return { cookies: cookies.map(({ value }) => value), me, sessions: items.map(({ id }) => id) };
}

/** A form of that page, sent into a frame or a window of it. @returns the status it was answered */
async function submitForm(
  foreign: Page,
  action: string,
  enctype: string,
  fields: Readonly<Record<string, string>>,
  target: string,
): Promise<number> {
  const answer = foreign
    .context()
    .waitForEvent('response', (response) => response.url() === action);
  await foreign.evaluate(
    ([action, enctype, fields, target]) => {
      const frame = Object.assign(document.createElement('iframe'), { name: 'sink' });
      const form = Object.assign(document.createElement('form'), {
        action,
        enctype,
        target,
        method: 'post',
      });
      // As text, a form becomes JSON when its one name and value are the two ends of it.
      const json = JSON.stringify({ ...fields, tail: '' }).slice(0, -2);
      const entries = enctype === 'text/plain' ? [[json, '"}']] : Object.entries(fields);
      for (const [name, value] of entries) {
        form.append(Object.assign(document.createElement('input'), { name, value }));
      }
      document.body.replaceChildren(frame, form);
      form.submit();
    },
    [action, enctype, fields, target] as const,
  );
  return (await answer).status();
}

for (const [where, host] of FOREIGN) {
  test(`a page on ${where} changes nothing`, async ({ person, playwright }) => {
    const { page, words, name, context } = person;
    await person.signUp();
    const baseURL = new URL(page.url()).origin;
    const api = `${baseURL}/api`;
    await person.logInElsewhere(1);
    const mallory = { username: `m${name}`, password: PASSWORD };
    const registration = {
      password1: PASSWORD,
      password2: PASSWORD,
      email: `m${name}@example.com`,
    };
    const { username } = mallory;
    await context.request.post(`${api}/user/create`, { data: { username, ...registration } });
    const before = await stateOf(context.request);
    const { items } = (await (await context.request.get(`${api}/user/sessions`)).json()) as {
      items: { id: string; current: boolean }[];
    };
    const other = items.find(({ current }) => !current)?.id ?? '';
    const writes: readonly Write[] = [
      ['POST', '/user/password', { current_password: PASSWORD, password1: NEXT, password2: NEXT }],
      ['POST', '/user/delete', { password: PASSWORD }],
      ['POST', '/user/logout', {}],
      ['POST', '/user/session', mallory],
      ['DELETE', '/user/session', {}],
      ['DELETE', '/user/sessions', {}],
      ['DELETE', '/user/sessions/{id}', {}],
      ['PATCH', '/user/me', { username: `n${name}` }],
      ['POST', '/user/email', { email: `n${name}@example.com`, password: PASSWORD }],
      ['POST', '/user/email/verify', { token: 'x' }],
      ['POST', '/user/email/verify/resend', {}],
    ];
    // Nothing that the service has is left out.
    expect([...WITHOUT_COOKIE, ...writes.map(([m, path]) => `${m} ${path}`)].sort()).toEqual(
      describedWrites(),
    );
    const foreign = await openForeign(page, host);

    for (const [method, path, fields] of writes) {
      const url = `${api}${path.replace('{id}', other)}`;
      // Without a cookie nobody is known, or what is there for them lacks something.
      const refusals = path.startsWith('/user/email/verify') ? [403, 422] : [403, 401];
      if (method === 'POST') {
        for (const enctype of [
          'application/x-www-form-urlencoded',
          'multipart/form-data',
          'text/plain',
        ]) {
          expect(refusals).toContain(await submitForm(foreign, url, enctype, fields, 'sink'));
        }
        expect(refusals).toContain(await submitForm(foreign, url, 'text/plain', fields, '_blank'));
      }
      const attempts = await foreign.evaluate(
        async ([url, method, fields]) => {
          const json = JSON.stringify(fields);
          const tell = async (sent: Promise<Response>): Promise<string> =>
            sent.then(
              async (answer) => `${answer.type} ${String(answer.status)} ${await answer.text()}`,
              () => 'refused',
            );
          const options = { method, credentials: 'include' } as const;
          const headers = { 'Content-Type': 'application/json' };
          const said = [
            await tell(fetch(url, { ...options, headers, body: json })),
            await tell(fetch(url, { ...options, body: new URLSearchParams(fields) })),
          ];
          if (method !== 'POST') return said;
          // JSON of no type is JSON to the service; the browser asks nobody before it sends that.
          const untyped = new Blob([json]);
          const form = new URLSearchParams(fields);
          return [
            ...said,
            await tell(fetch(url, { ...options, mode: 'no-cors', body: untyped })),
            await tell(fetch(url, { ...options, mode: 'no-cors', body: form })),
          ];
        },
        [url, method, fields] as const,
      );
      for (const said of attempts) expect(said).toMatch(/^(refused|opaque 0 )$/);
    }
    // A login that answers with a token gives it to nobody else, and is none of this browser.
    const login = await submitForm(
      foreign,
      `${api}/user/login`,
      'application/x-www-form-urlencoded',
      mallory,
      'sink',
    );
    expect(login).toBe(200);
    // What tabs of the page tell each other is not for others to say.
    await foreign.evaluate(() => {
      new BroadcastChannel('login').postMessage('deleted');
    });

    expect(await stateOf(context.request)).toEqual(before);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(words.hello(name));
    await page.reload();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(words.hello(name));
    const fresh = await playwright.request.newContext({ baseURL });
    const again = await fresh.post('/api/user/login', {
      form: { username: name, password: PASSWORD },
    });
    expect(again.status()).toBe(200);
    await fresh.dispose();
  });

  test(`a page on ${where} reads nothing`, async ({ person }) => {
    const { page, name } = person;
    await person.signUp();
    const baseURL = new URL(page.url()).origin;
    const foreign = await openForeign(page, host);
    const seen = await foreign.evaluate(async (base) => {
      const seen: Record<string, string> = {};
      const load = async (element: HTMLElement): Promise<string> =>
        new Promise((resolve) => {
          element.onload = () => {
            resolve('load');
          };
          element.onerror = () => {
            resolve('error');
          };
          document.body.append(element);
        });
      const attempt = (read: () => unknown): string => {
        try {
          return String(read());
        } catch (error) {
          return (error as Error).name;
        }
      };
      const complaints: string[] = [];
      window.addEventListener('error', ({ message }) => complaints.push(message));
      const globals = Object.keys(window).length;
      for (const path of ['/', '/api/user/me', '/api/user/sessions']) {
        const url = base + path;
        for (const mode of ['cors', 'no-cors'] as const) {
          seen[`fetch ${mode} ${path}`] = await fetch(url, { mode, credentials: 'include' }).then(
            async (answer) => `${answer.type} ${String(answer.status)} ${await answer.text()}`,
            (error: unknown) => (error as Error).name,
          );
        }
        seen[`XMLHttpRequest ${path}`] = await new Promise((resolve) => {
          const request = new XMLHttpRequest();
          request.open('GET', url);
          request.withCredentials = true;
          request.onloadend = () => {
            resolve(`${String(request.status)} ${request.responseText}`);
          };
          request.send();
        });
        const frame = Object.assign(document.createElement('iframe'), { src: url });
        await load(frame);
        seen[`iframe ${path}`] = attempt(() => frame.contentDocument?.body.innerText ?? 'nothing');
        seen[`window of iframe ${path}`] = attempt(
          () => frame.contentWindow?.document.body.innerText,
        );
        const image = Object.assign(document.createElement('img'), { src: url });
        seen[`img ${path}`] = `${await load(image)} ${String(image.naturalWidth)}`;
        seen[`script ${path}`] = await load(
          Object.assign(document.createElement('script'), { src: url }),
        );
        const style = Object.assign(document.createElement('link'), {
          rel: 'stylesheet',
          href: url,
        });
        seen[`stylesheet ${path}`] =
          `${await load(style)} ${attempt(() => style.sheet?.cssRules.length)}`;
        const opened = window.open(url);
        // However soon: before it is there it is empty, and then it is not this page's.
        seen[`window ${path}`] = attempt(() => opened?.document.body.innerText ?? 'nothing');
        Object.assign(window, { [`opened ${path}`]: opened });
      }
      seen['cookie'] = document.cookie;
      seen['complaints'] = complaints.join();
      seen['globals'] = String(Object.keys(window).length - globals);
      return seen;
    }, baseURL);
    await expect
      .poll(() =>
        page
          .context()
          .pages()
          .map((each) => each.url()),
      )
      .toContain(`${baseURL}/api/user/sessions`);
    await Promise.all(
      page
        .context()
        .pages()
        .map((each) => each.waitForLoadState()),
    );
    const opened = await foreign.evaluate(() =>
      Object.entries(window)
        .filter(([key]) => key.startsWith('opened '))
        .map(([, each]: [string, Window]) => {
          try {
            return each.closed ? 'closed' : each.document.body.innerText;
          } catch (error) {
            return (error as Error).name;
          }
        }),
    );
    expect(JSON.stringify([seen, opened])).not.toContain(name);
    // COOP has cut everything off from who opened it.
    expect(opened).toEqual(['closed', 'closed', 'closed']);
    // Nothing lets itself be framed: whoever sees it there could be made to click.
    const framed = foreign.frames().map((frame) => frame.url());
    expect(framed.filter((url) => url.startsWith(baseURL))).toEqual([]);
  });
}
