import { readFileSync } from 'node:fs';
import { RECORDED } from '../contract/recorded';
import { bearer, form, PASSWORD, registration } from '../support/client';
import { createDatabase, openDataSource, type TestDatabase } from '../support/database';
import { describeWithReference, startReference } from '../support/reference';
import { type RunningService, startServiceOn, waitUntil } from '../support/service';
import { type Answer, ask, type Outcome } from './answer';
import { type Case, HANA } from './cases/case';
import { LOGINS } from './cases/logins';
import { PATHS } from './cases/paths';
import { REGISTRATIONS } from './cases/registrations';
import { TOKENS } from './cases/tokens';
import {
  type Difference,
  KNOWN,
  LOGGED_IN,
  loginRefusedForOAuth,
  otherWordsForJson,
  saysWhetherConfirmed,
} from './differences';

/** Those of the recorded requests whose answers differ. */
const DIFFERENCES_OF_RECORDED: Readonly<Record<string, readonly Difference[]>> = {
  'register: body is not JSON': [otherWordsForJson],
  login: LOGGED_IN,
  'login: grant_type password, scope and client': LOGGED_IN,
  'login: empty grant_type': LOGGED_IN,
  'login: unicode': LOGGED_IN,
  'login: wrong password': [loginRefusedForOAuth],
  'login: unknown user': [loginRefusedForOAuth],
  'login: username is not the email': [loginRefusedForOAuth],
};

const CASES: readonly Case[] = [
  ...RECORDED.map(({ name, request: { path, ...init } }): Case => [
    name,
    path,
    init,
    ...(DIFFERENCES_OF_RECORDED[name] ?? []),
  ]),
  ...REGISTRATIONS,
  ...LOGINS,
  ...TOKENS,
  ...PATHS,
];

/** What is known and no answer to one request shows. */
const SHOWN_ELSEWHERE = [
  // Below.
  'Two registrations of one name at once',
  // test/account.e2e-spec.ts
  'A token after its account was deleted, and its name taken again',
  // test/limits.e2e-spec.ts
  'Wrong passwords, registrations',
  // src/password/password-hasher.spec.ts, by counting hashes
  'An unknown user',
];

describe("the README's list of differences from the reference", () => {
  it('is what is known to these tests', () => {
    const [, section = ''] =
      /\n## Differences from the reference\n([^]*?)\n## /.exec(readFileSync('README.md', 'utf8')) ??
      [];
    const [, , ...rows] = section.split('\n').filter((line) => line.startsWith('|'));
    const listed = rows.map((row) => row.split(/(?<!\\)\|/)[1]?.trim());
    expect(listed.toSorted()).toEqual(Object.keys(KNOWN).toSorted());
  });

  it('has nothing that is not shown', () => {
    const shown = CASES.flatMap(([, , , ...differences]) => differences.map(({ known }) => known));
    expect([...new Set([...shown, ...SHOWN_ELSEWHERE])].toSorted()).toEqual(
      Object.keys(KNOWN).toSorted(),
    );
  });
});

describeWithReference('the service and the reference, side by side on one database', (python) => {
  let database: TestDatabase;
  let reference: RunningService;
  let service: RunningService;

  beforeAll(async () => {
    database = await createDatabase();
    reference = await startReference(python, database);
    await reference.fetch('/user/create', registration(HANA));
    const dataSource = await openDataSource(database);
    await dataSource.runMigrations();
    await dataSource.destroy();
    service = await startServiceOn(database, {
      COEXIST_WITH_FASTAPI: 'on',
      // All of it comes from one address.
      RATE_LIMIT: 'off',
      PASSWORD_MIN_LENGTH: '1',
      PASSWORD_BLOCKLIST: 'off',
    });
  });

  afterAll(async () => {
    await Promise.all([reference.stop(), service.stop()]);
    await database.drop();
  });

  /** Asks the reference, takes away what came of it, and asks the service. */
  async function askBoth(path: string, init: RequestInit): Promise<[Outcome, Outcome]> {
    const [row] = await database.query<{ last: number }>('SELECT max(id) AS last FROM "user"');
    const columns = 'username, email, substr(password, 1, 7) AS hash';
    const theirs = await ask(reference, path, init);
    const stored = await database.query(`DELETE FROM "user" WHERE id > $1 RETURNING ${columns}`, [
      row?.last,
    ]);
    const ours = await ask(service, path, init);
    const storedByUs = await database.query(`SELECT ${columns} FROM "user" WHERE id > $1`, [
      row?.last,
    ]);
    return [
      { ...theirs, stored },
      { ...ours, stored: storedByUs },
    ];
  }

  it.each(CASES.map((row) => [row[0], row] as const))('%s', async (_name, row) => {
    const [, path, init, ...differences] = row;
    const [theirs, ours] = await askBoth(path, init);
    let expected = theirs;
    for (const { change } of differences) {
      const changed = change(expected);
      // One that is known and does not occur any more is to be forgotten.
      expect(expected).not.toEqual(changed);
      expected = changed;
    }
    expect(ours).toEqual(expected);
  });

  it('describe the same routes', async () => {
    type Operations = Record<string, { responses: object }>;
    const [theirs, ours] = await Promise.all(
      [reference, service].map(async (server) => {
        const response = await server.fetch('/openapi.json');
        return ((await response.json()) as { paths: Record<string, Operations> }).paths;
      }),
    );
    const routes = Object.entries(theirs ?? {}).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { responses }]) =>
        Object.keys(responses).map((status) => [path, method, 'responses', status]),
      ),
    );
    expect(routes).toHaveLength(5);
    for (const route of routes) expect(ours).toHaveProperty(route);
  });

  describe.each(['reference', 'service'] as const)('registered with the %s', (name) => {
    it.each([
      ['a plain one', PASSWORD],
      ['of one letter', 'x'],
      ['in Korean', '비밀번호는 열여섯 글자'],
      ['of 72 bytes', '비'.repeat(24)],
      ['composed', 'café'.normalize('NFC')],
      ['decomposed', 'café'.normalize('NFD')],
      ['with blanks around', ' blank\t'],
      // Of longer ones, the service would not take what bcrypt does not see.
      ...(name === 'reference' ? [['of 100 bytes', 'y'.repeat(100)]] : []),
    ] as [string, string][])(
      'people with a password log in to both: %s',
      async (kind, password) => {
        const username = `${kind} 🦊 ${name}`;
        const registrar = { reference, service }[name];
        const made = await registrar.fetch(
          '/user/create',
          registration(username, { password1: password, password2: password }),
        );
        expect(made.status).toBe(204);
        for (const server of [reference, service]) {
          const token = await tokenFrom(server, username, password);
          const theirs = await ask(reference, '/user/me', bearer(token));
          const ours = await ask(service, '/user/me', bearer(token));
          expect(theirs).toMatchObject({ status: 200, body: { username } });
          expect({ ...ours, stored: [] }).toEqual(
            saysWhetherConfirmed.change({ ...theirs, stored: [] }),
          );
        }
      },
    );
  });

  async function tokenFrom(
    server: RunningService,
    username: string,
    password = PASSWORD,
  ): Promise<string> {
    const response = await server.fetch('/user/login', form({ username, password }));
    expect(response.status).toBe(200);
    return ((await response.json()) as { access_token: string }).access_token;
  }

  it.each([
    ['a name', () => registration('racer')],
    ['an address', (i: number) => registration(`racer ${String(i)}`, { email: 'r@example.org' })],
  ])('give %s to one of ten who want it at once', async (_what, init) => {
    const [row] = await database.query<{ last: number }>('SELECT max(id) AS last FROM "user"');
    // Nobody can write, until all have looked and found nothing.
    const gate = await database.hold('LOCK TABLE "user" IN SHARE MODE');
    const racers = Array.from({ length: 10 }, (_, i) => ({
      isOurs: i % 2 === 0,
      answer: ask(i % 2 === 0 ? service : reference, '/user/create', init(i)),
    }));
    await waitUntil(async () => (await gate.waiting()) >= racers.length);
    await gate.release();
    const ours: Answer[] = [];
    const theirs: Answer[] = [];
    for (const { isOurs, answer } of racers) (isOurs ? ours : theirs).push(await answer);

    const made = await database.query<{ username: string }>(
      'SELECT username FROM "user" WHERE id > $1',
      [row?.last],
    );
    expect(made).toHaveLength(1);
    expect([...ours, ...theirs].filter(({ status }) => status === 204)).toHaveLength(1);
    for (const { status, body } of ours.filter(({ status }) => status !== 204)) {
      expect([status, body]).toEqual([409, { detail: '이미 존재하는 사용자입니다.' }]);
    }
    for (const { status } of theirs.filter(({ status }) => status !== 204)) {
      expect(status).toBe(500);
    }
    for (const server of [reference, service]) await tokenFrom(server, made[0]?.username ?? '');
  });
});
