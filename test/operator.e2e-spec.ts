import {
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
  spawn,
  spawnSync,
} from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { chmod, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import {
  form,
  logIn,
  logInWith,
  PASSWORD,
  registration,
  signUp,
  statusWith,
} from './support/client';
import { type Outcome, spawnCommand } from './support/command';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import {
  type RunningService,
  startService,
  startServiceOn,
  TEST_SECRET_KEY,
  waitUntil,
} from './support/service';
import { referenceToken } from './support/token';

const NEW_PASSWORD = 'battery staple 8';

/** Hashes by other programs, and their passwords. */
const HASHES: readonly (readonly [scheme: string, password: string, hash: string])[] = [
  ['bcrypt 2a', 'pw', '$2a$04$1gg08zRTW4DUGofuOEIyi.evO/h.A67zX7Q1x3koH2gcJmro83CYy'],
  ['bcrypt 2y', 'pw', '$2y$04$gblBTFHMvFGh1.1poxgPd.APBPfuwgIDor5KYslaAvrt7GZxSOMnu'],
  ['bcrypt 2b', PASSWORD, '$2b$04$abcdefghijklmnopqrstuuNQrW4HtpbvUPwWirnrwjC4bel4JAS1u'],
  [
    'bcrypt-sha256 v2',
    '비밀번호',
    '$bcrypt-sha256$v=2,t=2b,r=4$uj4IwvQwcWq1YZRsGqawQ.$XUKmoqi4vZzXSsk.HO1/drO7d8fuiai',
  ],
  [
    'argon2id',
    PASSWORD,
    '$argon2id$v=19$m=256,t=2,p=1$5ygZ7drqvZtoEX4ybvAT4Q$S2ac3PaZE/s9jqLs+m4pcA',
  ],
];

let directory: string;
let database: TestDatabase;
let service: RunningService;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'uas-operator-'));
  await chmod(directory, 0o711);
  database = await createMigratedDatabase();
  service = await startServiceOn(database, { RATE_LIMIT: 'on' });
});

afterAll(async () => {
  await service.stop();
  await database.drop();
  await rm(directory, { recursive: true });
});

function settingsOf({ environment }: TestDatabase): Record<string, string> {
  return { ...environment, SECRET_KEY: TEST_SECRET_KEY, BCRYPT_COST: '4', SUDO_USER: 'minsu' };
}

/** Runs the command to its end. */
function user(
  commandArguments: string[],
  {
    input = '',
    on = database,
    more = {},
  }: {
    input?: string | Buffer;
    on?: TestDatabase;
    more?: Record<string, string>;
  } = {},
): Promise<Outcome> {
  return spawnCommand('user', commandArguments, { ...settingsOf(on), ...more }, input).outcome;
}

/** Processes that a test has not ended, because it failed: none outlives its file. */
const alive = new Set<ChildProcess>();
afterAll(() => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Begins the command, whose input and output are the test's to write and read. */
function begin(
  commandArguments: string[],
  settings: Record<string, string>,
): ChildProcessWithoutNullStreams {
  const child = spawn(
    process.execPath,
    [join(process.cwd(), 'dist/src/cli/user.js'), ...commandArguments],
    {
      // Where no file of settings is.
      cwd: directory,
      env: { PATH: process.env['PATH'], ...settings },
    },
  );
  alive.add(child);
  child.once('exit', () => alive.delete(child));
  return child;
}

/** Lines of the log among what was said. */
function logged({ errors }: Outcome): Record<string, unknown>[] {
  return errors
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** What was said to people. */
function said({ errors }: Outcome): string[] {
  return errors.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
}

async function idOf(username: string): Promise<number> {
  const [row] = await database.query<{ id: number }>('SELECT id FROM "user" WHERE username = $1', [
    username,
  ]);
  if (row === undefined) throw new Error(`There is no ${username}`);
  return row.id;
}

/** What a login is answered, word by word. */
async function loginAnswer(username: string, password: string): Promise<unknown> {
  const response = await service.fetch('/user/login', form({ username, password }));
  return [response.status, response.headers.get('www-authenticate'), await response.text()];
}

describe('create', () => {
  it('makes an account that logs in, by the password on standard input', async () => {
    const outcome = await user(['create', 'made', 'made@Example.com', '--stdin'], {
      input: `${NEW_PASSWORD}\r\nand more\n`,
    });
    const id = await idOf('made');
    expect([outcome.status, outcome.output]).toEqual([0, `Made id:${String(id)}\n`]);
    expect(logged(outcome)).toEqual([
      expect.objectContaining({
        msg: 'security',
        event: 'user_created',
        account: id,
        operator: 'minsu',
      }),
    ]);
    expect(outcome.errors + outcome.output).not.toContain(NEW_PASSWORD);
    await logIn(service, 'made', NEW_PASSWORD);
    expect(
      await database.query('SELECT email, email_verified_at FROM "user" WHERE id = $1', [id]),
    ).toEqual([{ email: 'made@example.com', email_verified_at: null }]);
  });

  it.each([
    [
      'a short password',
      ['short', 'short@example.com'],
      'seven77',
      1,
      'password: ensure this value has at least 8 characters',
    ],
    [
      'a common one',
      ['common', 'common@example.com'],
      'qwertyuiop',
      1,
      'password: This password is too common: choose another one.',
    ],
    ['no address', ['none', 'none'], NEW_PASSWORD, 1, 'email: value is not a valid email address'],
    [
      'a name of two scripts',
      ['pаypal', 'two@example.com'],
      NEW_PASSWORD,
      1,
      'username: This mixes letters of scripts',
    ],
    [
      'a name that is taken in another case',
      ['TAKEN', 'taken2@example.com'],
      NEW_PASSWORD,
      1,
      'A user with this username or email address already exists.',
    ],
    [
      'no password',
      ['nothing', 'nothing@example.com'],
      '',
      2,
      'The first line of standard input is no password',
    ],
    [
      'no text',
      ['latin', 'latin@example.com'],
      Buffer.from('m\xfcller m\xfcller\n', 'latin1'),
      2,
      'The first line of standard input is no password',
    ],
  ])('refuses %s', async (_what, names, input, status, words) => {
    if (names[0] === 'TAKEN') await service.fetch('/user/create', registration('taken'));
    const before = await database.query('SELECT count(*) FROM "user"');
    const outcome = await user(['create', ...names, '--stdin'], { input });
    expect(outcome.status).toBe(status);
    expect(said(outcome).join('\n')).toContain(words);
    expect(await database.query('SELECT count(*) FROM "user"')).toEqual(before);
  });

  it('asks nobody who is not there, and takes no password among its arguments', async () => {
    const nobody = await user(['create', 'nobody', 'nobody@example.com']);
    expect([nobody.status, said(nobody)]).toEqual([2, [expect.stringContaining('say --stdin')]]);
    const argument = await user(['create', 'nobody', 'nobody@example.com', NEW_PASSWORD]);
    expect(argument.status).toBe(2);
    expect(argument.errors).not.toContain(NEW_PASSWORD);
    expect(await database.query(`SELECT FROM "user" WHERE username = 'nobody'`)).toEqual([]);
  });

  it('without a password, has its owner sent a mail to choose one; where mails are sent', async () => {
    const command = ['create', 'mailed', 'mailed@example.com', '--no-password'];
    const without = await user(command);
    expect([without.status, said(without)]).toEqual([
      1,
      ['This service sends no mail: ask whoever runs it.'],
    ]);
    const more = { SMTP_URL: 'smtp://127.0.0.1:1', PUBLIC_URL: 'https://accounts.example.com' };
    expect(await user(command, { more })).toMatchObject({ status: 0 });
    const id = await idOf('mailed');
    expect(
      await database.query('SELECT kind, recipient FROM mail WHERE user_id = $1', [id]),
    ).toEqual([{ kind: 'reset', recipient: 'mailed@example.com' }]);
    const verified = await user(['create', 'known', 'known@example.com', '--verified', '--stdin'], {
      input: NEW_PASSWORD,
      more,
    });
    expect(verified.status).toBe(0);
    const known = await idOf('known');
    expect(await database.query('SELECT FROM mail WHERE user_id = $1', [known])).toEqual([]);
    expect(
      await database.query('SELECT FROM "user" WHERE id = $1 AND email_verified_at IS NOT NULL', [
        known,
      ]),
    ).toHaveLength(1);
  });
});

describe('an account that is disabled', () => {
  it('ends at once, is answered like a wrong password, and logs in again once it is enabled', async () => {
    await service.fetch('/user/create', registration('leaver'));
    const { access_token: token, refresh_token: refresh = '' } = await logInWith(service, {
      username: 'leaver',
      scope: 'offline_access',
    });
    const reference = referenceToken('leaver');
    expect(await statusWith(service, token)).toBe(200);
    expect(await statusWith(service, reference)).toBe(200);
    const wrong = await loginAnswer('leaver', 'not this one');

    const disabled = await user(['disable', 'leaver']);
    expect(disabled).toMatchObject({
      status: 0,
      output: expect.stringContaining('Disabled: id:') as string,
    });
    expect(logged(disabled)).toEqual([
      expect.objectContaining({
        event: 'user_disabled',
        account: await idOf('leaver'),
        operator: 'minsu',
      }),
    ]);
    const refused = async (): Promise<void> => {
      expect(await statusWith(service, token)).toBe(401);
      expect(await statusWith(service, reference)).toBe(401);
      const renewed = await service.fetch(
        '/user/token',
        form({ grant_type: 'refresh_token', refresh_token: refresh }),
      );
      expect(renewed.status).toBe(400);
    };
    await refused();
    expect(await loginAnswer('leaver', PASSWORD)).toEqual(wrong);
    expect((await user(['show', 'leaver'])).output).toMatch(/disabled +since 20/);

    expect(logged(await user(['enable', 'leaver']))).toEqual([
      expect.objectContaining({ event: 'user_enabled' }),
    ]);
    await refused();
    await logIn(service, 'leaver', PASSWORD);
  });
});

describe('set-password', () => {
  it('ends every login and what was sent to choose one; the rules are those of everyone', async () => {
    const token = await signUp(service, 'forgetful');
    const id = await idOf('forgetful');
    await database.query(
      `INSERT INTO recovery_token (hash, user_id, purpose, email, expires_at)
       VALUES ('\\x01', $1, 'reset', 'x', now() + interval '1 hour')`,
      [id],
    );
    const common = await user(['set-password', `id:${String(id)}`, '--stdin'], {
      input: 'qwertyuiop',
    });
    expect([common.status, said(common)]).toEqual([
      1,
      ['password: This password is too common: choose another one.'],
    ]);
    expect(await statusWith(service, token)).toBe(200);
    const outcome = await user(['set-password', 'forgetful', '--stdin'], {
      input: `${NEW_PASSWORD}\n`,
    });
    expect(outcome.status).toBe(0);
    expect(logged(outcome)).toEqual([
      expect.objectContaining({ event: 'authn_password_change', account: id, operator: 'minsu' }),
    ]);
    expect(outcome.errors + outcome.output).not.toContain(NEW_PASSWORD);
    expect(await statusWith(service, token)).toBe(401);
    expect(await database.query('SELECT FROM recovery_token WHERE user_id = $1', [id])).toEqual([]);
    expect((await loginAnswer('forgetful', PASSWORD)) as unknown[]).toContain(401);
    await logIn(service, 'forgetful', NEW_PASSWORD);
  });
});

describe('logout, unlock and send-reset', () => {
  it('logout ends every login, and those of the reference', async () => {
    const token = await signUp(service, 'everywhere');
    const reference = referenceToken('everywhere');
    expect(await statusWith(service, reference)).toBe(200);
    expect(await user(['logout', 'everywhere'])).toMatchObject({ status: 0 });
    expect(await statusWith(service, token)).toBe(401);
    expect(await statusWith(service, reference)).toBe(401);
    await logIn(service, 'everywhere', PASSWORD);
  });

  it('unlock lets a password be guessed again, and show says whether that is needed', async () => {
    await service.fetch('/user/create', registration('guessed'));
    const key = `user:${String(await idOf('guessed'))}`;
    const lock = (failures: number, retryAt: string): Promise<unknown> =>
      database.query(
        `INSERT INTO password_failure VALUES ($1, $2, now() + $3::interval, 'infinity')
         ON CONFLICT (account) DO UPDATE SET failures = $2, retry_at = excluded.retry_at`,
        [key, failures, retryAt],
      );
    const lockedOut = async (): Promise<unknown> =>
      (JSON.parse((await user(['show', 'guessed', '--json'])).output) as Record<string, unknown>)[
        'locked_out'
      ];
    expect(await lockedOut()).toBe('nobody');
    await lock(10, '1 minute');
    expect(await lockedOut()).toBe('strangers');
    await lock(10, '-1 minute');
    expect(await lockedOut()).toBe('nobody');
    await lock(90, '-1 minute');
    expect(await lockedOut()).toBe('strangers');
    await lock(100, '-1 minute');
    expect(await lockedOut()).toBe('everyone');
    expect((await loginAnswer('guessed', PASSWORD)) as unknown[]).toContain(429);
    expect(logged(await user(['unlock', 'guessed']))).toEqual([
      expect.objectContaining({ event: 'authn_login_unlock' }),
    ]);
    await logIn(service, 'guessed', PASSWORD);
  });

  it('send-reset writes a mail to the owner, whom it is of use to', async () => {
    await service.fetch('/user/create', registration('remind'));
    const more = { SMTP_URL: 'smtp://127.0.0.1:1', PUBLIC_URL: 'https://accounts.example.com' };
    expect(await user(['send-reset', 'remind'])).toMatchObject({ status: 1 });
    await user(['disable', 'remind']);
    const disabled = await user(['send-reset', 'remind'], { more });
    expect([disabled.status, said(disabled)]).toEqual([1, [expect.stringContaining('enable it')]]);
    await user(['enable', 'remind']);
    expect(await user(['send-reset', 'remind'], { more })).toMatchObject({ status: 0 });
    expect(
      await database.query('SELECT kind FROM mail WHERE user_id = $1', [await idOf('remind')]),
    ).toEqual([{ kind: 'reset' }]);
    expect((await user(['show', 'remind'])).output).toMatch(/reset of 20.*, 0 attempts, waits/);
  });
});

describe('delete', () => {
  it('asks, or is told, and then the account, its tokens and its name are as if its owner had', async () => {
    const token = await signUp(service, 'gone');
    const reference = referenceToken('gone');
    expect(await statusWith(service, reference)).toBe(200);
    const asked = await user(['delete', 'gone'], { input: 'yes\n' });
    expect([asked.status, said(asked)]).toEqual([
      1,
      ['Nobody is there to confirm it: say --yes. Nothing was changed'],
    ]);
    expect(await statusWith(service, token)).toBe(200);
    const id = await idOf('gone');
    const outcome = await user(['delete', 'gone', '--yes']);
    expect(outcome.status).toBe(0);
    expect(logged(outcome)).toEqual([
      expect.objectContaining({ event: 'user_deleted', account: id, operator: 'minsu' }),
    ]);
    expect(await statusWith(service, token)).toBe(401);
    await service.fetch('/user/create', registration('gone'));
    expect(await statusWith(service, reference)).toBe(401);
    expect((await user(['delete', `id:${String(id)}`, '--yes'])).status).toBe(1);
  });

  it('says so when other data does not allow it', async () => {
    await service.fetch('/user/create', registration('needed'));
    await database.query('CREATE TABLE "order" (owner integer REFERENCES "user")');
    await database.query('INSERT INTO "order" VALUES ($1)', [await idOf('needed')]);
    const outcome = await user(['delete', 'needed', '--yes']);
    expect([outcome.status, said(outcome)]).toEqual([
      1,
      ['Other data in the same database does not allow this: ask whoever runs the service.'],
    ]);
    await database.query('DROP TABLE "order"');
  });
});

describe('accounts', () => {
  let other: TestDatabase;

  beforeAll(async () => {
    other = await createMigratedDatabase();
    const hash = `'$2b$04$' || repeat('a', 53)`;
    await other.query(
      `INSERT INTO "user" (username, username_folded, email, password) VALUES
         ('Ünal', 'ünal', 'first@example.com', ${hash}),
         ('first@example.com', 'first@example.com', 'second@example.com', ${hash}),
         ('50%', '50%', 'percent@example.com', ${hash}),
         ('a_b', 'a_b', 'line@example.com', ${hash}),
         ('axb', 'axb', 'x@example.com', ${hash}),
         ('back\\slash', 'back\\slash', 'back@example.com', ${hash}),
         (E'bell\\u0007\\u001b[31m\\u009b', NULL, 'BELL@example.com', ${hash}),
         ('id:1', 'id:1', 'id@example.com', 'no hash')`,
    );
    await other.query(`UPDATE "user" SET disabled_at = now() WHERE username = 'axb'`);
    await other.query(`UPDATE "user" SET email_verified_at = now() WHERE id <> 3`);
  });

  afterAll(() => other.drop());

  async function listed(
    ...commandArguments: string[]
  ): Promise<[ids: number[], next: number | null]> {
    const { status, output } = await user(['list', '--json', ...commandArguments], { on: other });
    expect(status).toBe(0);
    const { accounts, next } = JSON.parse(output) as {
      accounts: { id: number }[];
      next: number | null;
    };
    return [accounts.map(({ id }) => id), next];
  }

  it('are listed a page at a time', async () => {
    expect(await listed('--limit', '5')).toEqual([[1, 2, 3, 4, 5], 5]);
    expect(await listed('--limit', '5', '--after', '5')).toEqual([[6, 7, 8], null]);
    expect(await listed('--limit', '3', '--after', '5')).toEqual([[6, 7, 8], null]);
    const { output, errors } = await user(['list', '--limit', '1'], { on: other });
    expect(output).toBe('id:1 Ünal <first@example.com>\n');
    expect(errors).toBe('There are more: the same with --after 1\n');
  });

  it.each([
    ['a part of the name in another case', 'ÜNA', [1]],
    ['a part of the address', 'FIRST@', [1, 2]],
    ['%, which means itself', '%', [3]],
    ['_, which means itself', 'A_B', [4]],
    ['a backslash, which means itself', '\\', [6]],
    ['an address in capitals', 'bell@', [7]],
    ['what nobody has', "'; DROP TABLE", []],
    ['more than anybody could have', 'x'.repeat(600), []],
  ])('are found by %s', async (_what, pattern, ids) => {
    expect(await listed(pattern)).toEqual([ids, null]);
  });

  it('are found by their state', async () => {
    expect(await listed('--disabled')).toEqual([[5], null]);
    expect(await listed('--unverified')).toEqual([[3], null]);
    expect(await listed('--disabled', '--unverified')).toEqual([[], null]);
  });

  it('are named by id, name and address, and it is told who else is meant', async () => {
    const shown = async (name: string): Promise<string | number | null> => {
      const { status, output } = await user(['show', name, '--json'], { on: other });
      return status === 0 ? (JSON.parse(output) as { id: number }).id : Number(status);
    };
    expect(await shown('Ünal')).toBe(1);
    expect(await shown('second@EXAMPLE.com')).toBe(2);
    expect(await shown('id:1')).toBe(1);
    expect(await shown('id:8')).toBe(8);
    expect((await user(['show', 'ünal'], { on: other })).status).toBe(1);
    expect((await user(['show', 'id:99999999999999'], { on: other })).status).toBe(1);
    const both = await user(['disable', 'first@example.com'], { on: other });
    expect([both.status, said(both)]).toEqual([1, [expect.stringContaining('id:1 and id:2')]]);
  });

  it('cannot speak to the terminal, and show no hash', async () => {
    const outcome = await user(['show', 'id:7'], { on: other });
    const { output } = outcome;
    expect(logged(outcome)).toEqual([
      expect.objectContaining({ event: 'user_shown', account: 7, operator: 'minsu' }),
    ]);
    expect(output).toContain('bell\\u{7}\\u{1b}[31m\\u{9b}');
    for (const command of ['list', 'show']) {
      const json = (
        await user([command, command === 'list' ? 'bell' : 'id:7', '--json'], { on: other })
      ).output;
      expect(json).toContain('bell\\u0007\\u001b[31m\\u009b"');
    }
    expect(output).toMatch(/password +bcrypt, \$2b\$04\$…\n/);
    expect(output).not.toContain('aaaa');
    expect((await user(['show', 'id:8'], { on: other })).output).toMatch(
      /none that can be verified/,
    );
    expect((await user(['list', 'bell'], { on: other })).output).toBe(
      'id:7 bell\\u{7}\\u{1b}[31m\\u{9b} <BELL@example.com>\n',
    );
  });

  it.each([
    [['list', '--limit', '0']],
    [['list', '--after', '-1']],
    [['list', '--limit', '1e3']],
    [['show']],
    [['show', 'a', 'b']],
    [['frobnicate']],
    [[]],
  ])('wrong usage is told, with status 2: %j', async (wrong) => {
    expect((await user(wrong, { on: other })).status).toBe(2);
  });
});

describe('without what it needs', () => {
  it('it says so: no database, or another schema', async () => {
    const away = await user(['list'], { more: { INSTANCE_HOST: '127.0.0.1', DB_PORT: '1' } });
    expect([away.status, said(away)]).toEqual([2, [expect.stringContaining('cannot be reached')]]);
    const other = await createMigratedDatabase();
    await other.query(`DELETE FROM user_account_migration WHERE name LIKE 'CreateRecovery%'`);
    const old = await user(['list'], { on: other });
    expect([old.status, said(old)]).toEqual([2, [expect.stringContaining('run the migrations')]]);
    await other.drop();
  });
});

describe('export and import', () => {
  let target: TestDatabase;

  beforeEach(async () => {
    target = await createMigratedDatabase();
  });

  afterEach(() => target.drop());

  const line = (username: string, more: object = {}): string =>
    `${JSON.stringify({
      username,
      email: `${username}@example.com`,
      password: `$2b$04$${'a'.repeat(53)}`,
      ...more,
    })}\n`;

  const rowsOf = (of: TestDatabase): Promise<unknown[]> =>
    of.query('SELECT * FROM "user" ORDER BY id');

  it('carry accounts with hashes of every scheme to another database, where they log in', async () => {
    const source = await createMigratedDatabase();
    for (const [index, [scheme, , hash]] of HASHES.entries()) {
      await source.query(
        `INSERT INTO "user" (username, email, password, email_verified_at) VALUES ($1, $2, $3, now())`,
        [scheme, `${String(index)}@example.com`, hash],
      );
    }
    await source.query(
      `INSERT INTO "user" (username, email, password, disabled_at)
       VALUES ('시간이 없는 "사람"', 'infinity@example.com', $1, 'infinity')`,
      [HASHES[0]?.[2]],
    );
    const file = join(directory, 'accounts.jsonl');
    const written = await user(['export', '--output', file], { on: source });
    expect([written.status, written.output]).toEqual([0, '']);
    expect(said(written)).toEqual([expect.stringContaining('hash of every password')]);
    expect(logged(written)).toEqual([
      expect.objectContaining({ event: 'users_export_begun', operator: 'minsu' }),
      expect.objectContaining({ event: 'users_exported', counts: { exported: HASHES.length + 1 } }),
    ]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    // What somebody has disabled for ever is disabled since the export.
    const withoutTime = (lines: string): string => lines.replace(/"disabled_at":"[^"]+"/, '');
    const { output } = await user(['export'], { on: source });
    expect(withoutTime(output)).toBe(withoutTime(await readFile(file, 'utf8')));
    expect((await user(['export', '--output', file], { on: source })).status).toBe(2);

    const read = await user(['import', file], { on: target });
    expect([read.status, read.output]).toEqual([
      0,
      `${String(HASHES.length + 1)} lines: ${String(HASHES.length + 1)} accounts made, 0 were there already, 0 bad\n`,
    ]);
    expect(
      await target.query(
        'SELECT FROM "user" WHERE username_folded IS NULL OR email_verified_at IS NULL',
      ),
    ).toHaveLength(1);
    const there = await startServiceOn(target);
    for (const [scheme, password] of HASHES) await logIn(there, scheme, password);
    const disabled = await there.fetch(
      '/user/login',
      form({ username: '시간이 없는 "사람"', password: HASHES[0]?.[1] ?? '' }),
    );
    expect(disabled.status).toBe(401);
    await there.stop();
    await source.drop();
  });

  it('can be repeated: what is there stays as it is', async () => {
    const input = line('hana') + line('minsu', { disabled_at: '2026-01-01T00:00:00.000Z' });
    expect((await user(['import'], { on: target, input })).status).toBe(0);
    const before = await rowsOf(target);
    const sequence = await target.query('SELECT last_value FROM user_id_seq');
    const again = await user(['import', '-'], { on: target, input });
    expect([again.status, again.output]).toEqual([
      0,
      '2 lines: 0 accounts made, 2 were there already, 0 bad\n',
    ]);
    const differing = await user(['import'], {
      on: target,
      input: line('hana', { password: HASHES[0]?.[2] }) + line('minsu', { disabled_at: null }),
    });
    expect([differing.status, differing.output]).toEqual([
      0,
      '2 lines: 0 accounts made, 2 were there already (2 with another password or state than in the file: they keep theirs), 0 bad\n',
    ]);
    expect(await rowsOf(target)).toEqual(before);
    expect(await target.query('SELECT last_value FROM user_id_seq')).toEqual(sequence);
  });

  it('tell each line that is bad, and go on', async () => {
    await target.query(
      `INSERT INTO "user" (username, username_folded, email, password) VALUES
         ('Hana', 'hana', 'hana@example.com', 'x'), ('OLD', NULL, 'old@example.com', 'x')`,
    );
    await target.query(
      `INSERT INTO recovery_token (hash, user_id, purpose, email, expires_at)
       VALUES ('\\x01', 1, 'kept', 'kept@example.com', now() + interval '1 hour')`,
    );
    const hidden = 'gu3ssMeNot';
    const bad: [string | Buffer, RegExp][] = [
      ['{"username": "half', /^not JSON/],
      ['[1]', /^no object/],
      ['null', /^no object/],
      ['[[['.repeat(5000), /^not JSON/],
      ['{}', /^username is missing$/],
      [line('u', { username: 5 }), /^username is no text$/],
      [line('u', { username: ' \t' }), /^username is blank$/],
      [line('u', { username: 'a\0b' }), /^username has NUL/],
      [
        '{"username":"\\ud800","email":"a@example.com","password":"x"}',
        /^username has NUL or half/,
      ],
      [line('u', { username: '비'.repeat(151) }), /^username has more than 150 characters$/],
      [line('u', { email: 'nowhere' }), /^email is no address/],
      [line('u', { email: null }), /^email is no text$/],
      [line('u', { password: hidden }), /^password is no hash/],
      [line('u', { password: `$2b$31$${'a'.repeat(53)}` }), /^password is no hash/],
      [
        line('u', {
          password:
            '$argon2id$v=19$m=9999999,t=2,p=1$5ygZ7drqvZtoEX4ybvAT4Q$S2ac3PaZE/s9jqLs+m4pcA',
        }),
        /^password is no hash/,
      ],
      [
        line('u', { password: `$2b$16$${'a'.repeat(53)}` }),
        /^password is a hash that takes too long/,
      ],
      [
        line('u', {
          password: '$argon2id$v=19$m=131072,t=9,p=1$5ygZ7drqvZtoEX4ybvAT4Q$S2ac3PaZE/s9jqLs+m4pcA',
        }),
        /^password is a hash that takes too long/,
      ],
      [line('u', { disabled_at: '2026-02-30T00:00:00Z' }), /^disabled_at is no time/],
      [line('u', { disabled_at: 'infinity' }), /^disabled_at is no time/],
      [line('u', { disabled_at: true }), /^disabled_at is no time/],
      [line('u', { email_verified_at: '9999-01-01T00:00:00Z' }), /^email_verified_at is no time/],
      [
        line('u', { is_admin: true, 'a\u001b[31m': 1 }),
        /^unknown members is_admin, a\\u\{1b\}\[31m: /,
      ],
      ['{"__proto__": {"username": "u"}}', /^unknown members __proto__: /],
      [Buffer.from([0x22, 0xff, 0xfe]), /^not UTF-8/],
      [line('u', { username: 'x'.repeat(70_000) }), /^longer than 64 kB/],
      [line('hANA', { email: 'other@example.com' }), /^username is that of id:1 in another case/],
      [line('old', { email: 'other@example.com' }), /^username is that of id:2 in another case/],
      [line('Hana', { email: 'other@example.com' }), /^username is that of id:1, whose address/],
      [line('u', { email: 'hana@example.com' }), /^email is that of id:1, whose username/],
      [line('u', { email: 'kept@example.com' }), /^email is kept for an account/],
    ];
    const input = Buffer.concat([
      Buffer.from(`\ufeff${line('first')}\r\n\n  \n`),
      ...bad.map(([one]) =>
        Buffer.isBuffer(one)
          ? Buffer.concat([one, Buffer.from('\n')])
          : Buffer.from(`${one.trimEnd()}\n`),
      ),
      Buffer.from(line('twice') + line('TWICE', { email: 'twice2@example.com' }) + line('twice')),
      Buffer.from(line('last', { id: 'any', password: `$2b$15$${'a'.repeat(53)}` }).trimEnd()),
    ]);
    const outcome = await user(['import'], { on: target, input });
    expect(outcome.status).toBe(1);
    expect(outcome.output).toMatch(
      new RegExp(`: 3 accounts made, 1 were there already, ${String(bad.length + 1)} bad\n$`),
    );
    const problems = new Map(
      said(outcome).map((text) => {
        const [, number = '', why = ''] = /^line (\d+): (.*)$/.exec(text) ?? [];
        return [Number(number), why];
      }),
    );
    bad.forEach(([, words], index) => {
      expect(problems.get(index + 5)).toMatch(words);
    });
    expect(problems.get(bad.length + 6)).toMatch(/^username is that of id:\d+ in another case/);
    expect(outcome.errors + outcome.output).not.toContain(hidden);
    expect(
      await target.query('SELECT username, username_folded FROM "user" WHERE id > 2 ORDER BY id'),
    ).toEqual([
      { username: 'first', username_folded: 'first' },
      { username: 'twice', username_folded: 'twice' },
      { username: 'last', username_folded: 'last' },
    ]);
    expect(logged(outcome).at(-1)).toMatchObject({
      event: 'users_imported',
      counts: { created: 3, unchanged: 1, bad: bad.length + 1 },
    });
  });

  it('find out which line a rule of others refuses', async () => {
    await target.query(`ALTER TABLE "user" ADD CHECK (username <> 'user 700')`);
    const input = Array.from({ length: 1200 }, (_, i) =>
      line(`user ${String(i + 1)}`, { email: `${String(i)}@example.com` }),
    ).join('');
    const outcome = await user(['import'], { on: target, input });
    expect([outcome.status, said(outcome)]).toEqual([
      1,
      ['line 700: refused by the database (23514), by a rule for other data in it'],
    ]);
    expect(outcome.output).toBe('1200 lines: 1199 accounts made, 0 were there already, 1 bad\n');
  });

  it('share the work when the same file is imported twice at once', async () => {
    const names = Array.from({ length: 3000 }, (_, i) => line(`user-${String(i)}`));
    const gate = await target.hold('LOCK TABLE "user" IN SHARE MODE');
    const running = [names, names.toReversed()].map((lines) =>
      user(['import'], { on: target, input: lines.join('') }),
    );
    await waitUntil(async () => (await gate.waiting()) === 2);
    await gate.release();
    const outcomes = await Promise.all(running);
    expect(outcomes.map(({ status }) => status)).toEqual([0, 0]);
    expect(await target.query('SELECT FROM "user"')).toHaveLength(3000);
    const made = outcomes.map(({ output }) => Number(/(\d+) accounts made/.exec(output)?.[1]));
    expect(made.reduce((sum, count) => sum + count, 0)).toBe(3000);
  });

  it('stream: accounts are made while the rest of the file is not there yet', async () => {
    const child = begin(['import'], settingsOf(target));
    const closed = once(child, 'close');
    const output = text(child.stdout);
    child.stdin.write(Array.from({ length: 600 }, (_, i) => line(`user-${String(i)}`)).join(''));
    await waitUntil(async () => (await target.query('SELECT FROM "user"')).length === 500);
    // Interrupted, it has done what it has done, and says so.
    child.kill('SIGINT');
    expect(await closed).toEqual([1, null]);
    expect(await output).toContain(': 500 accounts made');
  });

  it('stream: 20,000 accounts as they were at one moment, and only as fast as they are read', async () => {
    // 200 MB, which the process has no room for: whatever others have written is exported.
    await target.query(`
      INSERT INTO "user" (username, email, password)
      SELECT 'user' || i, i || '@example.com', repeat('x', 10000) FROM generate_series(1, 20000) i`);
    const child = begin(['export'], {
      NODE_OPTIONS: '--max-old-space-size=120',
      ...settingsOf(target),
    });
    const errors = text(child.stderr);
    // Nothing is read: it waits in the middle of its transaction.
    await waitUntil(
      async () =>
        (
          await target.query(
            `SELECT FROM pg_stat_activity WHERE datname = current_database()
                AND state = 'idle in transaction' AND query LIKE '%ORDER BY id LIMIT%'`,
          )
        ).length === 1,
    );
    await target.query(`UPDATE "user" SET username = 'renamed' WHERE id = 20000`);
    expect(child.exitCode).toBe(null);
    let count = 0;
    let last = '';
    for await (const line of createInterface(child.stdout)) {
      count += 1;
      last = line;
    }
    expect(count).toBe(20_000);
    expect(JSON.parse(last)).toMatchObject({ id: 20_000, username: 'user20000' });
    expect(await errors).toContain('"counts":{"exported":20000}');
  });

  it('leave no file that looks whole when they are stopped', async () => {
    const file = join(directory, 'stopped.jsonl');
    const gate = await target.hold('LOCK TABLE "user"');
    const child = begin(['export', '--output', file], settingsOf(target));
    const closed = once(child, 'close');
    await waitUntil(async () => (await gate.waiting()) === 1);
    child.kill('SIGTERM');
    await closed;
    await gate.release();
    await expect(stat(file)).rejects.toThrow('ENOENT');
    expect((await stat(`${file}.part`)).mode & 0o777).toBe(0o600);
    const again = await user(['export', '--output', file], { on: target });
    expect([again.status, said(again).at(-1)]).toEqual([2, expect.stringContaining('.part is')]);
    await rm(`${file}.part`);
    expect((await user(['export', '--output', file], { on: target })).status).toBe(0);
    await expect(stat(`${file}.part`)).rejects.toThrow('ENOENT');
  });

  it('say which file cannot be read or written', async () => {
    for (const command of [
      ['import', 'nowhere'],
      ['import', '.'],
      ['export', '--output', 'no/where'],
    ]) {
      const outcome = await user(command, { on: target });
      expect([outcome.status, said(outcome).at(-1)]).toEqual([
        2,
        expect.stringMatching(/cannot be read or written \(E\w+\)$/),
      ]);
    }
  });
});

describe('beside the embedded database', () => {
  it('joins the server of the running service, and works without it', async () => {
    const more = { DATA_DIR: join(directory, 'data'), BCRYPT_COST: '4' };
    const embedded = await startService(more);
    const run = (commandArguments: string[], input = ''): Promise<Outcome> =>
      spawnCommand('user', commandArguments, more, input).outcome;
    expect(
      await run(['create', 'hana', 'hana@example.com', '--stdin'], NEW_PASSWORD),
    ).toMatchObject({
      status: 0,
    });
    const token = await logIn(embedded, 'hana', NEW_PASSWORD);
    expect(await run(['logout', 'hana'])).toMatchObject({ status: 0 });
    expect(await statusWith(embedded, token)).toBe(401);
    await embedded.stop();
    expect((await run(['list'])).output).toBe('id:1 hana <hana@example.com>, not verified\n');
  });
});

const hasScript = spawnSync('script', ['--version']).status === 0;
if (!hasScript) {
  process.stderr.write('skipped: at a terminal: there is no script (util-linux) here to be one\n');
}

(hasScript ? describe : describe.skip)('at a terminal', () => {
  /** Types what answers each question, and tells what was seen. */
  async function typed(
    command: string,
    answers: readonly [question: string, answer: string][],
  ): Promise<{ status: number | null; screen: string }> {
    const shell = `${process.execPath} ${process.cwd()}/dist/src/cli/user.js ${command}; s=$?; stty -a | grep -o -- '-\\?\\becho\\b'; exit $s`;
    const child = spawn('script', ['-qec', shell, '/dev/null'], {
      cwd: directory,
      env: { PATH: process.env['PATH'], ...settingsOf(database), SHELL: '/bin/sh', TERM: 'xterm' },
    });
    alive.add(child);
    child.once('exit', () => alive.delete(child));
    const closed = once(child, 'close') as Promise<[number | null]>;
    let screen = '';
    child.stdout.on('data', (chunk: Buffer) => (screen += chunk.toString()));
    let seen = 0;
    for (const [question, answer] of answers) {
      await waitUntil(
        () => Promise.resolve(screen.includes(question, seen)),
        () => screen,
      );
      seen = screen.indexOf(question, seen) + question.length;
      child.stdin.write(answer);
    }
    const [status] = await closed;
    return { status, screen };
  }

  beforeAll(async () => {
    await service.fetch('/user/create', registration('typist'));
  });

  it('a password is asked for twice, unseen, though the output goes elsewhere', async () => {
    const file = join(directory, 'output');
    const { status, screen } = await typed(`set-password typist > ${file}`, [
      ['New password: ', `${NEW_PASSWORD}x\x7f\r`],
      ['The same again: ', `${NEW_PASSWORD}\r`],
    ]);
    expect(status).toBe(0);
    expect(screen).not.toContain('battery');
    expect(screen).toMatch(/\necho\r?\n/);
    expect(await readFile(file, 'utf8')).toMatch(/^Has the new password: id:\d+ typist/);
    await logIn(service, 'typist', NEW_PASSWORD);
  });

  it('two that differ change nothing, and neither does Ctrl-C, after which the terminal is as before', async () => {
    const differing = await typed('set-password typist', [
      ['New password: ', 'one of these\r'],
      ['The same again: ', 'other of these\r'],
    ]);
    expect(differing.status).toBe(1);
    expect(differing.screen).toContain('The passwords do not match.');
    const interrupted = await typed('set-password typist', [['New password: ', 'one o\x03']]);
    expect(interrupted.status).toBe(1);
    expect(interrupted.screen).toContain('Nothing was changed');
    expect(interrupted.screen).not.toContain('one o');
    expect(interrupted.screen).toMatch(/\necho\r?\n/);
    const without = await typed('set-password typist', [['New password: ', '\x04']]);
    expect(without.status).toBe(1);
    await logIn(service, 'typist', NEW_PASSWORD);
  });

  it('yes deletes, and nothing else does', async () => {
    for (const answer of ['y\r', '\r', 'no\r', '\x03', '\x04']) {
      const { status, screen } = await typed('delete typist', [['[yes/no] ', answer]]);
      expect([status, screen]).toEqual([1, expect.stringContaining('Nothing was changed')]);
    }
    expect((await typed('delete typist', [['[yes/no] ', 'yes\r']])).status).toBe(0);
    expect(await database.query(`SELECT FROM "user" WHERE username = 'typist'`)).toEqual([]);
  });
});
