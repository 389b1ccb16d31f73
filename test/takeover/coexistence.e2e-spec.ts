import * as bcryptjs from 'bcryptjs';
import { JSON_TYPE, logIn, PASSWORD, post, registration } from '../support/client';
import { createMigratedDatabase, type TestDatabase } from '../support/database';
import { type RunningService, startServiceOn } from '../support/service';

/** 24 syllables of three bytes each. */
const BYTES_72 = '비밀번호는열여섯글자보다길어도됩니다정말로그래요';

describe('COEXIST_WITH_FASTAPI', () => {
  let database: TestDatabase;
  let service: RunningService;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    service = await startServiceOn(database, { COEXIST_WITH_FASTAPI: 'on', BCRYPT_COST: '5' });
  });

  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  async function stored(username: string): Promise<string> {
    const [row] = await database.query<{ password: string }>(
      'SELECT password FROM "user" WHERE username = $1',
      [username],
    );
    return row?.password ?? '';
  }

  async function refusal(init: RequestInit, path = '/user/create'): Promise<unknown> {
    const response = await service.fetch(path, init);
    return [response.status, response.status === 204 ? undefined : await response.json()];
  }

  it('takes a password of 72 bytes, and refuses one of 73 in words', async () => {
    expect(Buffer.byteLength(BYTES_72)).toBe(72);
    const passwords = (password: string): object => ({ password1: password, password2: password });
    expect(await refusal(registration('short', passwords(BYTES_72)))).toEqual([204, undefined]);
    const tooLong = registration('long', passwords(`${BYTES_72}!`));
    const entry = {
      loc: ['body', 'password1'],
      type: 'value_error.any_str.max_length',
      ctx: { limit_value: 72 },
    };
    expect(await refusal(tooLong)).toEqual([
      422,
      {
        detail: [{ ...entry, msg: '72바이트 이하여야 합니다. 한글은 한 글자가 3바이트입니다.' }],
      },
    ]);
    const inEnglish = { ...tooLong, headers: { ...JSON_TYPE, 'accept-language': 'en' } };
    expect(await refusal(inEnglish)).toEqual([
      422,
      {
        detail: [
          {
            ...entry,
            msg: 'ensure this value has at most 72 bytes; letters beyond ASCII have two to four',
          },
        ],
      },
    ]);
  });

  it('stores a new password so too when it is changed', async () => {
    const decomposed = 'cafe\u0301 du monde';
    await service.fetch('/user/create', registration('hana'));
    const token = await logIn(service, 'hana', PASSWORD);
    const change = {
      current_password: PASSWORD,
      password1: decomposed,
      password2: decomposed,
    };
    const headers = { ...JSON_TYPE, authorization: `Bearer ${token}` };
    expect(await refusal({ ...post(change), headers }, '/user/password')).toEqual([204, undefined]);
    expect(bcryptjs.compareSync(decomposed, await stored('hana'))).toBe(true);
  });

  it('leaves cheaper hashes as they are, and logs in who has a longer password from before', async () => {
    const long = 'x'.repeat(100);
    const cheap = bcryptjs.hashSync(long, 4);
    await database.query(
      `INSERT INTO "user" (username, email, password) VALUES ('before', 'before', $1)`,
      [cheap],
    );
    await logIn(service, 'before', long);
    expect(await stored('before')).toBe(cheap);
  });
});
