import { Logger } from '@nestjs/common';
import type { DatabaseService } from '../src/database/database.service';
import { NameFoldingService } from '../src/user/name-folding.service';
import { bearer, form, JSON_TYPE, logIn, PASSWORD, registration, signUp } from './support/client';
import { createMigratedDatabase, openDataSource, type TestDatabase } from './support/database';
import { type RunningService, startServiceOn, waitUntil } from './support/service';

const TAKEN = '409 이미 존재하는 사용자입니다.';
const MIXED =
  '서로 다른 문자 체계의 글자를 섞어 쓸 수 없습니다. 한글과 로마자처럼 함께 쓰는 글자만 사용하세요.';
const LOOKALIKE =
  '영문자나 숫자처럼 보이지만 다른 문자로 된 이름입니다. 키보드의 영문자와 숫자로 입력하세요.';

let database: TestDatabase;

/** An account as the FastAPI backend makes one. @returns its id */
async function insert(...usernames: string[]): Promise<number[]> {
  const rows = await database.query<{ id: number }>(
    `INSERT INTO "user" (email, password, username) SELECT name, '!', name FROM unnest($1::varchar[]) AS name RETURNING id`,
    [usernames],
  );
  return rows.map(({ id }) => id);
}

/** Names as they are compared, by name. */
async function folded(): Promise<Record<string, string | null>> {
  const rows = await database.query<{ username: string; username_folded: string | null }>(
    'SELECT username, username_folded FROM "user"',
  );
  return Object.fromEntries(rows.map((row) => [row.username, row.username_folded]));
}

describe('a name that somebody chooses', () => {
  let service: RunningService;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    service = await startServiceOn(database);
  });

  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  /** Status, and what is said. */
  async function answer(path: string, init: RequestInit): Promise<unknown> {
    const response = await service.fetch(path, init);
    if (response.status < 400) return response.status;
    const { detail } = (await response.json()) as {
      detail: string | { loc: string[]; msg: string; type: string }[];
    };
    if (typeof detail === 'string') return `${String(response.status)} ${detail}`;
    return detail.map(({ loc, msg, type }) => `${loc.join('.')}: ${type}: ${msg}`);
  }

  function register(username: string): Promise<unknown> {
    return answer('/user/create', registration(username));
  }

  function rename(token: string, username: string): Promise<unknown> {
    return answer('/user/me', {
      method: 'PATCH',
      headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
      body: JSON.stringify({ username }),
    });
  }

  it('is taken in whatever case, width and normal form, and logged in with as it is', async () => {
    for (const [name, ...others] of [
      ['Alice', 'alice', 'ALICE'],
      ['éva', 'ÉVA', 'Éva'.normalize('NFD')],
      ['ハナコ', 'ﾊﾅｺ'],
      ['하나', '하나'.normalize('NFD'), '하나\u3164'],
    ] as const) {
      expect([name, await register(name)]).toEqual([name, 204]);
      for (const other of others) expect([other, await register(other)]).toEqual([other, TAKEN]);
    }
    expect(await folded()).toMatchObject({
      Alice: 'alice',
      éva: 'éva',
      ハナコ: 'ハナコ',
      하나: '하나',
    });
    await logIn(service, 'Alice', PASSWORD);
    expect(await answer('/user/login', form({ username: 'alice', password: PASSWORD }))).toBe(
      '401 Incorrect username or password',
    );
  });

  it('is one of many that fold alike, of which one is let through', async () => {
    const gate = await database.hold('LOCK TABLE "user" IN SHARE MODE');
    const names = ['raced', 'Raced', 'RACED', 'raCed', 'racEd', 'raceD', 'RaceD', 'rACEd'];
    const answers = names.map(register);
    await waitUntil(async () => (await gate.waiting()) >= names.length);
    await gate.release();
    expect((await Promise.all(answers)).sort()).toEqual([204, ...names.slice(1).map(() => TAKEN)]);
    expect(Object.values(await folded()).filter((name) => name === 'raced')).toHaveLength(1);
  });

  it('is one that two accounts want to be renamed to, of which one gets it', async () => {
    const tokens = [await signUp(service, 'one'), await signUp(service, 'two')];
    const gate = await database.hold('LOCK TABLE "user" IN SHARE MODE');
    const [first = '', second = ''] = tokens;
    const renames = [rename(first, 'Prize'), rename(second, 'PRIZE')];
    await waitUntil(async () => (await gate.waiting()) === 2);
    await gate.release();
    expect((await Promise.all(renames)).sort()).toEqual([200, TAKEN]);
  });

  it('can be its own in another case, and frees the one from before', async () => {
    const token = await signUp(service, 'hana');
    expect(await rename(token, 'HANA')).toBe(200);
    const renewed = await logIn(service, 'HANA', PASSWORD);
    expect(await rename(renewed, 'Minsu')).toBe(200);
    expect(await folded()).toMatchObject({ Minsu: 'minsu' });
    expect(await register('Hana')).toBe(204);
  });

  it.each([
    ['pаypаl', MIXED],
    ['Ωmega', MIXED],
    ['ѕсоре', LOOKALIKE],
    ['ａｄｍｉｎ', LOOKALIKE],
    ['ﬁnn', LOOKALIKE],
    ['hana\u3164', LOOKALIKE],
  ])('is not %j, at a registration or later', async (name, message) => {
    const refusal = [`body.username: value_error: ${message}`];
    expect(await register(name)).toEqual(refusal);
    expect(await rename(await signUp(service, `not ${String(name.codePointAt(0))}`), name)).toEqual(
      refusal,
    );
  });

  it.each(['김철수Kim7', '花子Hana7', '王小明Wang7', 'Привет', 'Νίκη', 'Łukasz', 'Weiß', '🦊'])(
    'may be %s',
    async (name) => {
      expect(await register(name)).toBe(204);
      await logIn(service, name, PASSWORD);
    },
  );

  it('is none of an account that the FastAPI backend has just made, if case is all that differs', async () => {
    const token = await signUp(service, 'wants another');
    await insert('FastAPI', 'Éloïse');
    for (const name of ['fastapi', 'FASTAPI', 'ÉloïsE']) {
      expect(await register(name)).toBe(TAKEN);
      expect(await rename(token, name)).toBe(TAKEN);
    }
  });

  it('is left to an old account, of the forbidden kind or in another case', async () => {
    await signUp(service, 'from before');
    await database.query(
      `UPDATE "user" SET username = 'pаypаl', username_folded = NULL WHERE username = 'from before'`,
    );
    const token = await logIn(service, 'pаypаl', PASSWORD);
    expect((await service.fetch('/user/me', bearer(token))).status).toBe(200);
    expect(await rename(token, 'from now on')).toBe(200);
    const unfolded = await signUp(service, 'Unfolded');
    await database.query(`UPDATE "user" SET username_folded = NULL WHERE username = 'Unfolded'`);
    expect(await rename(unfolded, 'unfolded')).toBe(200);
  });
});

describe('NameFoldingService', () => {
  let dataSource: Awaited<ReturnType<typeof openDataSource>>;
  let folding: NameFoldingService;
  let said: string[];

  beforeEach(async () => {
    database = await createMigratedDatabase();
    dataSource = await openDataSource(database);
    folding = newFolding();
    said = [];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((message) => {
      said.push(String(message));
    });
  });

  afterEach(async () => {
    await dataSource.destroy();
    await database.drop();
    jest.restoreAllMocks();
  });

  function newFolding(): NameFoldingService {
    // Only who runs it again and again asks whether the database was reached.
    return new NameFoldingService(dataSource, {} as DatabaseService);
  }

  function run(service = folding): Promise<void> {
    return service.run(new AbortController().signal);
  }

  it('fills in what others wrote, in batches, and again when there is more', async () => {
    const names = Array.from({ length: 1201 }, (_, i) => `User${String(i)}`);
    await insert(...names);
    await run();
    expect(await folded()).toEqual(
      Object.fromEntries(names.map((name) => [name, name.toLowerCase()])),
    );
    await insert('ÉVA');
    await run();
    expect(await folded()).toMatchObject({ ÉVA: 'éva' });
    expect(said).toEqual([]);
  });

  it('stops between two batches when it is told to, and goes on another time', async () => {
    const names = Array.from({ length: 1201 }, (_, i) => `User${String(i)}`);
    await insert(...names);
    const stopping = new AbortController();
    const query = jest.spyOn(dataSource, 'transaction');
    query.mockImplementationOnce((...work: unknown[]) => {
      stopping.abort();
      return dataSource.transaction(...(work as Parameters<typeof dataSource.transaction>));
    });
    await folding.run(stopping.signal);
    expect(Object.values(await folded()).filter((name) => name !== null)).toHaveLength(500);
    await run();
    expect(Object.values(await folded())).not.toContain(null);
  });

  it('leaves the name to the oldest of those that fold alike, and says so once, by id', async () => {
    const [Alice, alice, bob] = await insert('Alice', 'alice', 'bob');
    await run();
    await run();
    expect(await folded()).toEqual({ Alice: 'alice', alice: null, bob: 'bob' });
    const [Bob] = await insert('Bob');
    await run();
    expect(said).toEqual([
      `Accounts whose names differ in case only: ${String(alice)} and ${String(Alice)}. Both keep working`,
      `Accounts whose names differ in case only: ${String(Bob)} and ${String(bob)}. Both keep working`,
    ]);
    await database.query(`DELETE FROM "user" WHERE username = 'Alice'`);
    await run();
    expect(await folded()).toEqual({ alice: 'alice', bob: 'bob', Bob: null });
  });

  it('folds every name that an index can hold, and none that is too long for it', async () => {
    const musical = Array.from({ length: 225 }, (_, i) =>
      String.fromCodePoint(0x1d15e + ((i * i) % 7)),
    ).join('');
    await insert(musical, 'x'.repeat(225), 'x'.repeat(226), 'Last');
    await run();
    expect(await folded()).toMatchObject({
      [musical]: musical.normalize('NFC'),
      ['x'.repeat(225)]: 'x'.repeat(225),
      ['x'.repeat(226)]: null,
      Last: 'last',
    });
  });

  it('waits for nobody who is being renamed', async () => {
    await insert('Alice', 'Bob');
    const renaming = await database.hold(
      `UPDATE "user" SET username = 'Carol', username_folded = 'carol' WHERE username = 'Alice'`,
    );
    await run();
    await renaming.release();
    expect(await folded()).toEqual({ Carol: 'carol', Bob: 'bob' });
  });

  it('gives way to whoever takes one of the names at that moment, or has the table', async () => {
    await insert('alice', 'Bob');
    const registering = await database.hold(
      `INSERT INTO "user" (username, email, password, username_folded) VALUES ('Alice', 'a', '!', 'alice')`,
    );
    await expect(run()).rejects.toMatchObject({ code: '55P03' });
    await registering.release();
    const changing = await database.hold('LOCK TABLE "user" IN SHARE MODE');
    await expect(run()).rejects.toMatchObject({ code: '55P03' });
    await changing.release();
    expect(await folded()).toEqual({ Alice: 'alice', alice: null, Bob: null });
    await run();
    expect(await folded()).toEqual({ Alice: 'alice', alice: null, Bob: 'bob' });
  });

  it('is one at a time', async () => {
    await insert('Alice');
    const working = await database.hold('SELECT pg_advisory_xact_lock(1969320708)');
    await run();
    expect(await folded()).toEqual({ Alice: null });
    await working.release();
    await Promise.all([run(), run(newFolding())]);
    expect(await folded()).toEqual({ Alice: 'alice' });
  });
});

it('accounts of before are folded when the service starts, and those that collide told of', async () => {
  database = await createMigratedDatabase();
  const [Alice, alice] = await insert('Alice', 'alice', 'Éva');
  const service = await startServiceOn(database);
  await waitUntil(async () => (await folded())['Éva'] === 'éva');
  await waitUntil(() =>
    Promise.resolve(
      service.output().includes(`differ in case only: ${String(alice)} and ${String(Alice)}.`),
    ),
  );
  expect(service.output()).not.toMatch(/alice|éva/i);
  expect((await service.fetch('/user/create', registration('éva'))).status).toBe(409);
  await service.stop();
  await database.drop();
});
