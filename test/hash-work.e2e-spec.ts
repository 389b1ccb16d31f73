import type { AddressInfo } from 'node:net';
import * as bcryptjs from 'bcryptjs';
import type { NestExpressApplication } from '@nestjs/platform-express';
import pino from 'pino';
import Piscina from 'piscina';
import { createApp } from '../src/app.setup';
import { parseSettings } from '../src/config/settings';
import { DatabaseService } from '../src/database/database.service';
import type { HashTask } from '../src/password/hash.worker';
import { HashCensusService } from '../src/user/hash-census.service';
import { UserService } from '../src/user/user.service';
import { form, PASSWORD } from './support/client';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { TEST_SECRET_KEY } from './support/service';

describe('the work of a login', () => {
  let database: TestDatabase;
  let app: NestExpressApplication;
  let url: string;
  const BCRYPT = { verify: /^\$2b\$05\$.{53}$/ };
  const STORED = {
    malformed: '$2b$99$x',
    empty: '',
    locked: '!',
  };

  const logger = pino({ level: 'silent' });

  beforeAll(async () => {
    database = await createMigratedDatabase();
    app = await createApp(
      parseSettings({ ...database.environment, SECRET_KEY: TEST_SECRET_KEY, BCRYPT_COST: '5' }),
      logger,
    );
    await app.listen(0);
    url = `http://127.0.0.1:${String((app.getHttpServer().address() as AddressInfo).port)}`;
    await app.get(DatabaseService).connected;
    const users = app.get(UserService);
    const email = 'hana@example.com';
    const gone = new AbortController().signal;
    const client = { gone, ip: null, userAgent: null, language: 'ko', log: logger } as const;
    await users.create(
      { username: 'hana', password1: PASSWORD, password2: PASSWORD, email },
      client,
    );
    for (const [name, hash] of Object.entries(STORED)) await insert(name, hash);
  });

  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  async function insert(name: string, hash: string): Promise<void> {
    await database.query('INSERT INTO "user" (username, email, password) VALUES ($1, $1, $2)', [
      name,
      hash,
    ]);
  }

  async function stored(name: string): Promise<string | undefined> {
    const sql = 'SELECT password FROM "user" WHERE username = $1';
    const [row] = await database.query<{ password: string }>(sql, [name]);
    return row?.password;
  }

  /** Logs in over HTTP. @returns the status, and what was hashed for it */
  async function work(username: string, password: string): Promise<[number, HashTask[]]> {
    const run = jest.spyOn(Piscina.prototype, 'run');
    const { status } = await fetch(`${url}/user/login`, form({ username, password }));
    const tasks = run.mock.calls.map(([task]) => task as HashTask);
    run.mockRestore();
    return [status, tasks];
  }

  it.each(['hana', 'nobody', ...Object.keys(STORED)])(
    'is one hash of the usual cost for %s with a wrong password, two if its form is not NFC',
    async (username) => {
      const one = { name: 'verify', hash: expect.stringMatching(BCRYPT.verify) as string };
      expect(await work(username, 'wrong')).toEqual([401, [{ ...one, password: 'wrong' }]]);
      expect(await work(username, 'a\u0308')).toEqual([
        401,
        [
          { ...one, password: 'ä' },
          { ...one, password: 'a\u0308' },
        ],
      ]);
    },
  );

  it('replaces a hash of a lower cost or another scheme, and no other', async () => {
    // Made by passlib and argon2-cffi.
    const cheap = '$2y$04$oG3RyPW0mle.SAqoh1mNceMDPTIFWKlZE7a6oW9pV1CgGinXHzeAS';
    const argon2id = '$argon2id$v=19$m=256,t=2,p=1$5ygZ7drqvZtoEX4ybvAT4Q$S2ac3PaZE/s9jqLs+m4pcA';
    const long = '$2b$04$QdXqWrN2XlMo5ITocdHkyOHzYR4Quwq7TaAG6.1rN4FqE7DDmVdEy';
    await insert('cheap', cheap);
    await insert('argon', argon2id);
    await insert('long', long);
    for (const name of ['cheap', 'argon']) {
      expect(await work(name, 'wrong')).toEqual([401, [expect.anything()]]);
      const [status, tasks] = await work(name, PASSWORD);
      expect([status, tasks.map((task) => task.name)]).toEqual([200, ['verify', 'hash']]);
      expect(await stored(name)).toMatch(/^\$2b\$05\$/);
      expect(await work(name, PASSWORD)).toEqual([
        200,
        [expect.objectContaining({ name: 'verify' })],
      ]);
    }
    // bcrypt saw 72 of its 100 bytes, so what followed is nobody's to set.
    expect(await work('long', '0123456789'.repeat(10))).toEqual([200, [expect.anything()]]);
    expect(await stored('long')).toBe(long);
    // Nor of one that is short in NFC, and was hashed as it was typed.
    const typed = 'a\u0308'.repeat(26);
    await insert('nfd', bcryptjs.hashSync(typed, 4));
    expect(await work('nfd', `${typed.slice(0, 48)}another tail`)).toEqual([
      200,
      [expect.anything(), expect.anything()],
    ]);
    expect((await work('nfd', typed))[0]).toBe(200);
  });

  it('does not overwrite a password that was changed meanwhile', async () => {
    await insert('changed', 'the hash that was verified');
    const users = app.get(UserService);
    const user = await users.findWithPassword('changed');
    if (user === null) throw new Error('There is no such user');
    await database.query(`UPDATE "user" SET password = 'the new one' WHERE username = 'changed'`);
    await users.replaceHash(user, 'a rehash of the old one');
    expect(await stored('changed')).toBe('the new one');
  });

  it('is for nobody what it is for others, once the hashes there are have been counted', async () => {
    const other = await createMigratedDatabase();
    await other.query(`
      INSERT INTO "user" (username, email, password)
      SELECT i, i, '$argon2id$v=19$m=256,t=1,p=1$5ygZ7drqvZtoEX4ybvAT4Q$S2ac3PaZE/s9jqLs+m4pcA'
        FROM generate_series(1, 100) i`);
    const counting = await createApp(
      parseSettings({ ...other.environment, SECRET_KEY: TEST_SECRET_KEY }),
      pino({ level: 'silent' }),
    );
    await counting.init();
    await counting.get(DatabaseService).connected;
    await counting.get(HashCensusService).run();
    const run = jest.spyOn(Piscina.prototype, 'run');
    await counting.listen(0);
    const { port } = counting.getHttpServer().address() as AddressInfo;
    await fetch(
      `http://127.0.0.1:${String(port)}/user/login`,
      form({ username: 'nobody', password: 'x' }),
    );
    expect(run.mock.calls.map(([task]): unknown => task)).toEqual([
      {
        name: 'verify',
        password: 'x',
        hash: expect.stringMatching(/^\$argon2id\$v=19\$m=256,t=1,p=1\$.{22}\$.{43}$/) as string,
      },
    ]);
    run.mockRestore();
    await counting.close();
    await other.drop();
  });
});
