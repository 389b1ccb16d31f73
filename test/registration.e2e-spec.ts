import { JSON_TYPE, logIn, PASSWORD, post, registration } from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { type RunningService, startServiceOn } from './support/service';

describe('POST /user/create', () => {
  let database: TestDatabase;
  let service: RunningService;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    service = await startServiceOn(database);
  });

  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  /** What a registration is answered: its status, and `field: type` of each error. */
  async function answer(init: RequestInit): Promise<unknown> {
    const response = await service.fetch('/user/create', init);
    const text = await response.text();
    if (text === '') return response.status;
    const { detail } = JSON.parse(text) as { detail: string | { loc: string[]; type: string }[] };
    if (typeof detail === 'string') return `${String(response.status)} ${detail}`;
    return detail.map(({ loc, type }) => `${loc.slice(1).join('.')}: ${type}`);
  }

  it('stores a bcrypt hash at the given cost, and nothing else of the password', async () => {
    expect(await answer(registration('hana'))).toBe(204);
    const rows = await database.query<{ password: string }>(
      `SELECT password FROM "user" WHERE username = 'hana'`,
    );
    expect(rows).toEqual([
      { password: expect.stringMatching(/^\$2b\$04\$[./A-Za-z0-9]{53}$/) as string },
    ]);
  });

  it('lets exactly one of twenty registrations of a name through', async () => {
    const statuses = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        answer(registration('twenty', { email: `twenty${String(i)}@example.com` })),
      ),
    );
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(statuses.filter((status) => status === '409 이미 존재하는 사용자입니다.')).toHaveLength(
      19,
    );
    expect(await database.query(`SELECT FROM "user" WHERE username = 'twenty'`)).toHaveLength(1);
  });

  it('lets exactly one of twenty registrations of an email address through', async () => {
    const statuses = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        answer(registration(`one-of-${String(i)}`, { email: 'one@example.com' })),
      ),
    );
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(await database.query(`SELECT FROM "user" WHERE email = 'one@example.com'`)).toHaveLength(
      1,
    );
  });

  it.each([
    ['150 characters', 'u'.repeat(150), 204],
    ['150 characters beyond the BMP', '🦊'.repeat(150), 204],
    ['151 characters', 'u'.repeat(151), ['username: value_error.any_str.max_length']],
    ['NUL', 'a\0b', ['username: value_error']],
    ['a line feed', 'a\nb', ['username: value_error']],
    ['a format character', 'a\u200bb', ['username: value_error']],
    ['text direction', 'a\u202eb', ['username: value_error']],
    ['an unassigned character', 'a\u{e01ff}b', ['username: value_error']],
    ['a noncharacter', 'a\uffffb', ['username: value_error']],
    ['half a surrogate pair', 'a\ud800b', ['username: value_error']],
    ['only white space', ' \u3000\u00a0', ['username: value_error']],
    ['a number', 7, ['username: type_error.str']],
    ['true', true, ['username: type_error.str']],
    ['an array', ['a'], ['username: type_error.str']],
    ['an object', { a: 1 }, ['username: type_error.str']],
    ['a name of Object', 'constructor', 204],
    ['an SQL statement', `'; DROP TABLE "user"; --`, 204],
  ])('username: %s', async (name, username, expected) => {
    expect(await answer(registration(`name: ${name}`, { username }))).toEqual(expected);
  });

  it.each([
    ['8 characters', 'kpwzmxqv', 204],
    ['8 characters beyond the BMP', '🦊🐻🐼🐨🐯🦁🐮🐷', 204],
    ['7 characters', 'kpwzmxq', ['password1: value_error.any_str.min_length']],
    [
      '7 characters that are 14 before NFC',
      'é'.normalize('NFD').repeat(7),
      ['password1: value_error.any_str.min_length'],
    ],
    ['a common one', 'password1', ['password1: value_error']],
    ['a common one in capitals', 'PASSWORD1', ['password1: value_error']],
    ['1,024 characters', 'xk'.repeat(512), 204],
    ['1,025 characters', `${'xk'.repeat(512)}x`, ['password1: value_error.any_str.max_length']],
    ['1,024 characters that are 2,048 before NFC', 'é'.normalize('NFD').repeat(1024), 204],
    ['NUL', 'correct\0horse', ['password1: value_error']],
    ['half a surrogate pair', 'correct\ud800horse', ['password1: value_error']],
    ['white space', '        ', ['password1: value_error', 'password2: value_error']],
    ['a number', 12345678, ['password1: type_error.str', 'password2: type_error.str']],
  ])('password: %s', async (name, password, expected) => {
    const username = `password: ${name}`;
    expect(
      await answer(registration(username, { password1: password, password2: password })),
    ).toEqual(expected);
  });

  it('takes a password for the same in whatever normal form', async () => {
    const nfc = 'pässwörter genug';
    const nfd = nfc.normalize('NFD');
    expect(nfd).not.toBe(nfc);
    expect(await answer(registration('norm', { password1: nfd, password2: nfc }))).toBe(204);
    expect(await logIn(service, 'norm', nfc)).toEqual(expect.any(String));
    expect(await logIn(service, 'norm', nfd)).toEqual(expect.any(String));
  });

  it('does not normalise what is too long anyway', async () => {
    const marks = `a${'\u0301'.repeat(15_000)}${'\u0316'.repeat(15_000)}`;
    expect(await answer(registration('marks1', { password1: marks }))).toEqual([
      'password1: value_error.any_str.max_length',
    ]);
    expect(await answer(registration('marks2', { password2: marks }))).toEqual([
      'password2: value_error',
    ]);
  });

  it('compares the second password only with a good first one', async () => {
    const differing = { password1: 'short', password2: 'another' };
    expect(await answer(registration('differ1', differing))).toEqual([
      'password1: value_error.any_str.min_length',
    ]);
    expect(await answer(registration('differ2', { password2: 'another' }))).toEqual([
      'password2: value_error',
    ]);
  });

  it('keeps an email address as pydantic does', async () => {
    expect(
      await answer(registration('pretty', { email: 'Kim-Min <Kim.Min@EXAMPLE.com>' })),
    ).toEqual(['email: value_error.email']);
    expect(await answer(registration('pretty', { email: 'Kim Min <Kim.Min@EXAMPLE.com>' }))).toBe(
      204,
    );
    expect(await database.query(`SELECT email FROM "user" WHERE username = 'pretty'`)).toEqual([
      { email: 'Kim.Min@example.com' },
    ]);
  });

  it.each([
    [
      '__proto__',
      `{"__proto__":{"username":"p"},"username":"proto1","password1":"${PASSWORD}","password2":"${PASSWORD}","email":"proto1@example.com"}`,
      204,
    ],
    [
      '__proto__ only',
      `{"__proto__":{"username":"proto2","password1":"${PASSWORD}","password2":"${PASSWORD}","email":"p2@example.com"}}`,
      [
        'username: value_error.missing',
        'password1: value_error.missing',
        'password2: value_error.missing',
        'email: value_error.missing',
      ],
    ],
    [
      'constructor',
      '{"constructor":{"prototype":{"a":1}}}',
      [
        'username: value_error.missing',
        'password1: value_error.missing',
        'password2: value_error.missing',
        'email: value_error.missing',
      ],
    ],
    ['null', 'null', [': value_error.missing']],
    ['a text', '"a"', [': type_error.dict']],
    ['a number', '1', [': type_error.dict']],
    ['NaN', '{"username":NaN}', [': value_error.jsondecode']],
    [
      'deep',
      `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
      '400 There was an error parsing the body',
    ],
    [
      'deep in an unknown member',
      `{"a":${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}}`,
      '400 There was an error parsing the body',
    ],
  ])('body: %s', async (_name, body, expected) => {
    expect(await answer(post(body))).toEqual(expected);
  });

  it('reads JSON without a type, of a type that ends in +json, and with a byte order mark', async () => {
    const { body } = registration('untyped');
    const bytes = new TextEncoder().encode(body);
    // fetch gives a text a type, and bytes none.
    expect(await answer({ method: 'POST', body: bytes })).toBe(204);
    expect(
      await answer({
        ...registration('plus'),
        headers: { 'content-type': 'application/vnd.x+json; v=1' },
      }),
    ).toBe(204);
    expect(
      await answer({ ...registration('bom'), body: `\ufeff${registration('bom').body}` }),
    ).toBe(204);
    expect(
      await answer({ ...registration('text'), headers: { 'content-type': 'text/plain' } }),
    ).toEqual([': type_error.dict']);
  });

  it('refuses bytes that are not UTF-8, and a charset that nobody knows', async () => {
    expect(
      await answer({ method: 'POST', headers: JSON_TYPE, body: Buffer.from([0x22, 0xff, 0x22]) }),
    ).toBe('400 There was an error parsing the body');
    expect(
      await answer({
        ...registration('charset'),
        headers: { 'content-type': 'application/json; charset=klingon' },
      }),
    ).toMatch(/^415 /);
  });
});

describe('POST /user/create at parity with the reference', () => {
  it('takes any password that is not blank', async () => {
    const database = await createMigratedDatabase();
    const service = await startServiceOn(database, {
      PASSWORD_MIN_LENGTH: '1',
      PASSWORD_BLOCKLIST: 'off',
    });
    const { status } = await service.fetch(
      '/user/create',
      registration('pw', { password1: 'pw', password2: 'pw' }),
    );
    expect(status).toBe(204);
    await service.stop();
    await database.drop();
  });
});
