import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { form, JSON_TYPE, logInWith, PASSWORD, post, signUp, statusWith } from '../support/client';
import { createMigratedDatabase, type TestDatabase } from '../support/database';
import {
  listening,
  type RunningService,
  spawnServer,
  startServiceOn,
  TEST_SECRET_KEY,
  waitUntilReady,
} from '../support/service';

/** Where the history is; this may be a copy without any. */
const REPOSITORY = process.env['REPOSITORY'] ?? process.cwd();
const NEXT = 'battery staple 8';

/** Of the repository. @returns what it printed */
function git(...words: string[]): Buffer {
  return execFileSync('git', ['-C', REPOSITORY, ...words], {
    stdio: 'pipe',
    maxBuffer: 2 ** 28,
  });
}

/** The last commit before the newest migration came; undefined, and a word, without a history. */
const previous = ((): string | undefined => {
  const newest = readdirSync('migrations').sort().at(-1) ?? '';
  try {
    const path = `migrations/${newest}`;
    const came = git('log', '-1', '--format=%H', '--diff-filter=A', '--', path).toString().trim();
    return git('rev-parse', '--verify', `${came}^`).toString().trim();
  } catch (error) {
    process.stderr.write(
      `skipped: an upgrade (REPOSITORY names no git repository that knows the version before: ${String(error)})\n`,
    );
    return undefined;
  }
})();

(previous === undefined ? describe.skip : describe)('an upgrade', () => {
  let directory: string;
  let database: TestDatabase;
  let before: RunningService;
  let after: RunningService;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'uas-previous-'));
    execFileSync('tar', ['-x', '-C', directory], { input: git('archive', previous ?? '') });
    symlinkSync(join(process.cwd(), 'node_modules'), join(directory, 'node_modules'));
    // Whether its types are right was seen in its time.
    execFileSync(join('node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json', '--noCheck'], {
      cwd: directory,
    });
    database = await createMigratedDatabase();
    before = await startPrevious();
    after = await startServiceOn(database, { RATE_LIMIT: 'off' });
  });

  afterAll(async () => {
    await Promise.all([before.stop(), after.stop()]);
    await database.drop();
    await rm(directory, { recursive: true });
  });

  /** The version of before, on the schema of this one. */
  async function startPrevious(): Promise<RunningService> {
    const service = await listening(
      spawnServer(
        process.execPath,
        [join(directory, 'dist/src/main.js')],
        {
          ...database.environment,
          BCRYPT_COST: '4',
          PORT: '0',
          RATE_LIMIT: 'off',
          SECRET_KEY: TEST_SECRET_KEY,
        },
        directory,
      ),
      /API +(http:\/\/localhost:\d+)[^]*Data +\S/,
    );
    await waitUntilReady(service);
    return service;
  }

  async function refresh(service: RunningService, refresh_token: string): Promise<string> {
    const response = await service.fetch(
      '/user/token',
      form({ grant_type: 'refresh_token', refresh_token }),
    );
    expect(response.status).toBe(200);
    return ((await response.json()) as { refresh_token: string }).refresh_token;
  }

  async function change(
    service: RunningService,
    token: string,
    path: string,
    body: object,
  ): Promise<number> {
    const headers = { ...JSON_TYPE, authorization: `Bearer ${token}` };
    const method = path === '/user/me' ? 'PATCH' : 'POST';
    const response = await service.fetch(path, { ...post(body), method, headers });
    await response.text();
    return response.status;
  }

  const ORDERS: [name: string, order: () => [RunningService, RunningService]][] = [
    ['forward', () => [before, after]],
    ['back', () => [after, before]],
  ];

  it.each(ORDERS)(
    'both serve the same people at once, from the version before to this one and back: %s',
    async (name, order) => {
      const [one, other] = order();
      const username = `moves ${name}`;
      const first = await signUp(one, username);
      expect(await statusWith(other, first)).toBe(200);

      // A refresh token goes to and fro.
      const fields = { username, scope: 'offline_access' };
      const { refresh_token: token = '' } = await logInWith(one, fields);
      const next = await refresh(one, await refresh(other, token));

      // What ends a login here ends it there.
      const { access_token: second } = await logInWith(other, { username });
      expect(await statusWith(one, second, '/user/logout', { method: 'POST' })).toBe(204);
      expect(await statusWith(other, second)).toBe(401);

      const passwords = { current_password: PASSWORD, password1: NEXT, password2: NEXT };
      expect(await change(one, first, '/user/password', passwords)).toBe(204);
      const lost = await other.fetch(
        '/user/token',
        form({ grant_type: 'refresh_token', refresh_token: next }),
      );
      expect(lost.status).toBe(400);
      expect(await statusWith(other, first)).toBe(200);
      const fresh = await logInWith(other, { username, password: NEXT });
      const renamed = `${username} renamed`;
      expect(await change(other, fresh.access_token, '/user/me', { username: renamed })).toBe(200);
      const { access_token: last } = await logInWith(one, { username: renamed, password: NEXT });
      expect(await statusWith(other, last, '/user/sessions')).toBe(200);
      expect(await change(one, last, '/user/delete', { password: NEXT })).toBe(204);
      expect(await statusWith(other, last)).toBe(401);
    },
  );

  it('is undone by starting the version before again', async () => {
    const token = await signUp(after, 'stays');
    await before.stop();
    before = await startPrevious();
    expect(await statusWith(before, token)).toBe(200);
    const { access_token: there } = await logInWith(before, { username: 'stays' });
    expect(await statusWith(after, there)).toBe(200);
    expect(before.output()).not.toMatch(/"level":(50|60)|ERROR|FATAL/);
  });
});
