import {
  bearer,
  form,
  JSON_TYPE,
  logIn,
  logInWith,
  PASSWORD,
  post,
  registration,
  signUp,
  statusWith,
} from './support/client';
import { runCommand } from './support/command';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { PUBLIC_URL, type ReceivedMail, TestMailServer } from './support/mail-server';
import { type RunningService, startServiceOn, TEST_SECRET_KEY, waitUntil } from './support/service';
import { referenceToken } from './support/token';

const NEXT = 'battery staple 8';
const PASSWORDS = { password1: NEXT, password2: NEXT };
const REFUSED = {
  status: 422,
  body: {
    detail: [
      {
        loc: ['body', 'token'],
        msg: '링크나 코드가 올바르지 않거나, 이미 사용했거나, 만료되었습니다. 새로 요청하세요.',
        type: 'value_error',
      },
    ],
  },
};
const TAKEN = { status: 409, body: { detail: '이미 존재하는 사용자입니다.' } };

let database: TestDatabase;
let mailServer: TestMailServer;
let service: RunningService;

beforeAll(async () => {
  [database, mailServer] = await Promise.all([createMigratedDatabase(), TestMailServer.start()]);
  service = await startServiceOn(database, { RATE_LIMIT: 'off', ...mailServer.environment });
});

afterAll(async () => {
  await service.stop();
  await Promise.all([mailServer.stop(), database.drop()]);
});

/** Posts, and says what came of it. */
async function send(
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
  to = service,
): Promise<{ status: number; body: unknown }> {
  const init = body === undefined ? { method: 'POST' } : post(body);
  const response = await to.fetch(path, {
    ...init,
    headers: { ...(body !== undefined && JSON_TYPE), ...headers },
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
}

function authorized(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

interface Somebody {
  readonly username: string;
  readonly email: string;
  /** Of a login. */
  readonly token: string;
  /** To confirm the address. */
  readonly mail: ReceivedMail;
}

/** Signs up, and waits for the mail that follows. */
async function somebody(username: string, to = service): Promise<Somebody> {
  const email = `${username.replaceAll(' ', '.')}@example.com`;
  const created = await to.fetch('/user/create', registration(username, { email }));
  expect(created.status).toBe(204);
  const mail = await mailServer.waitForMail(email);
  return { username, email, mail, token: await logIn(to, username, PASSWORD) };
}

/** The same, whose address is confirmed. */
async function confirmed(username: string): Promise<Somebody> {
  const one = await somebody(username);
  const { status } = await send(
    '/user/email/verify',
    { token: one.mail.token },
    authorized(one.token),
  );
  expect(status).toBe(204);
  return one;
}

/** The mail to reset the password of somebody, who has had so many mails before. */
async function forgot(email: string, before = 1, to = service): Promise<ReceivedMail> {
  expect((await send('/user/password/forgot', { email }, {}, to)).status).toBe(204);
  return mailServer.waitForMail(email, before + 1);
}

async function canLogIn(username: string, password: string): Promise<boolean> {
  const { status } = await service.fetch('/user/login', form({ username, password }));
  return status === 200;
}

async function verifiedAt(token: string): Promise<unknown> {
  const response = await service.fetch('/user/me', bearer(token));
  const body = (await response.json()) as { email_verified_at: unknown };
  return body.email_verified_at;
}

/** Sixteen of the same at once, which all wait for the account. @returns how many came to what */
async function sixteenAtOnce(
  username: string,
  request: () => Promise<{ status: number }>,
): Promise<Record<number, number>> {
  const gate = await database.hold(`SELECT FROM "user" WHERE username = '${username}' FOR UPDATE`);
  const requests = Array.from({ length: 16 }, request);
  await waitUntil(async () => (await gate.waiting()) >= 9);
  await gate.release();
  const statuses = (await Promise.all(requests)).map(({ status }) => status);
  return Object.fromEntries(
    [...new Set(statuses)].map((one) => [one, statuses.filter((s) => s === one).length]),
  );
}

describe('a forgotten password', () => {
  it('is replaced by who reads the mail of the address; every login ends', async () => {
    const { username, email, token } = await somebody('forgetful');
    const { refresh_token } = await logInWith(service, { username, scope: 'offline_access' });
    const theirs = referenceToken(username);
    expect(await statusWith(service, theirs)).toBe(200);
    const [first, second] = [await forgot(email), await forgot(email, 2)];
    expect(first.link).toMatch(new RegExp(`^${PUBLIC_URL}/reset-password#[\\w-]{43}$`));
    expect(await send('/user/password/reset', { token: first.token, ...PASSWORDS })).toEqual({
      status: 204,
      body: null,
    });
    expect(await statusWith(service, token)).toBe(401);
    expect(await statusWith(service, theirs)).toBe(401);
    const refreshed = await service.fetch(
      '/user/token',
      form({ grant_type: 'refresh_token', refresh_token: refresh_token ?? '' }),
    );
    expect(refreshed.status).toBe(400);
    expect(await canLogIn(username, PASSWORD)).toBe(false);
    const now = await logIn(service, username, NEXT);
    // Whoever reads the mail has shown it.
    expect(await verifiedAt(now)).toEqual(expect.any(String));
    for (const used of [first, second]) {
      expect(await send('/user/password/reset', { token: used.token, ...PASSWORDS })).toEqual(
        REFUSED,
      );
      const { code } = used;
      expect(await send('/user/password/reset', { token: code, email, ...PASSWORDS })).toEqual(
        REFUSED,
      );
    }
    expect(service.output()).toContain('"event":"password_reset","account"');
  });

  it('is replaced once by sixteen who use the token at once', async () => {
    const { username, email } = await somebody('raced');
    const { token } = await forgot(email);
    const came = await sixteenAtOnce(username, () =>
      send('/user/password/reset', { token, ...PASSWORDS }),
    );
    expect(came[204]).toBe(1);
    expect(Object.keys(came).sort()).toEqual(expect.arrayContaining(['204', '422']));
    // Whoever waited too long for a connection is told so.
    expect(Object.keys(came).filter((status) => !['204', '422', '503'].includes(status))).toEqual(
      [],
    );
  });

  it('is no business of whoever only opens the link', async () => {
    const { username, email } = await somebody('scanned');
    const { token } = await forgot(email);
    for (const path of ['/reset-password', '/user/password/reset', '/user/email/verify']) {
      const response = await service.fetch(`${path}?token=${token}`, {
        headers: { accept: 'text/html' },
      });
      await response.text();
    }
    expect((await send('/user/password/reset', { token, ...PASSWORDS })).status).toBe(204);
    expect(await canLogIn(username, NEXT)).toBe(true);
  });

  it('is replaced with the code, as somebody types it', async () => {
    const { username, email } = await somebody('typist');
    const { code } = await forgot(email);
    expect(code).toMatch(/^\d{8}$/);
    const typed = ` ${code.slice(0, 4)} ${code.slice(4)}`;
    // Without the address that it was sent to, it is a number among many.
    expect(await send('/user/password/reset', { token: typed, ...PASSWORDS })).toEqual(REFUSED);
    const reset = { token: typed, email: 'Typist@Example.com', ...PASSWORDS };
    expect((await send('/user/password/reset', reset)).status).toBe(204);
    expect(await canLogIn(username, NEXT)).toBe(true);
    expect(await send('/user/password/reset', reset)).toEqual(REFUSED);
  });

  it('is guessed by code five times at most, however many try at once', async () => {
    const { email, username } = await somebody('guessed');
    const { code, token } = await forgot(email);
    const wrong = String((Number(code) + 1) % 10 ** 8).padStart(8, '0');
    const gate = await database.hold('LOCK TABLE recovery_token IN EXCLUSIVE MODE');
    const tries = Array.from({ length: 8 }, () =>
      send('/user/password/reset', { token: wrong, email, ...PASSWORDS }),
    );
    await waitUntil(async () => (await gate.waiting()) >= 8);
    await gate.release();
    await Promise.all(tries);
    expect(await send('/user/password/reset', { token: code, email, ...PASSWORDS })).toEqual(
      REFUSED,
    );
    const [row] = await database.query<{ tries: number }>(
      `SELECT code_tries AS tries FROM recovery_token WHERE email = $1 AND purpose = 'reset'`,
      [email],
    );
    expect(row?.tries).toBe(5);
    // The link is good all the same.
    expect((await send('/user/password/reset', { token, ...PASSWORDS })).status).toBe(204);
    expect(await canLogIn(username, NEXT)).toBe(true);
  });

  it('is replaced by nothing that is too old', async () => {
    const { email } = await somebody('late');
    const { code, token } = await forgot(email);
    await database.query(
      `UPDATE recovery_token SET code_expires_at = code_expires_at - interval '10 minutes' WHERE email = $1`,
      [email],
    );
    expect(await send('/user/password/reset', { token: code, email, ...PASSWORDS })).toEqual(
      REFUSED,
    );
    await database.query(
      `UPDATE recovery_token SET expires_at = expires_at - interval '1 hour' WHERE email = $1`,
      [email],
    );
    expect(await send('/user/password/reset', { token, ...PASSWORDS })).toEqual(REFUSED);
  });

  it('is replaced by no token for something else, and does nothing else', async () => {
    const { email, mail } = await somebody('bound');
    const { token, code } = await forgot(email);
    expect(await send('/user/password/reset', { token: mail.token, ...PASSWORDS })).toEqual(
      REFUSED,
    );
    expect(await send('/user/password/reset', { token: mail.code, email, ...PASSWORDS })).toEqual(
      REFUSED,
    );
    for (const path of ['/user/email/verify', '/user/email/revert']) {
      expect(await send(path, { token })).toEqual(REFUSED);
      expect(await send(path, { token: code, email })).toEqual(REFUSED);
    }
  });

  it.each([
    ['nothing', {}, ['token', 'password1', 'password2']],
    ['a short password', { token: 'x', password1: 'short', password2: 'short' }, ['password1']],
    ['no address', { token: 'x', email: 'none', ...PASSWORDS }, ['email']],
    ['NUL', { token: 'x\0', ...PASSWORDS }, ['token']],
  ])('is told what is wrong with %s', async (_what, body, fields) => {
    const { status, body: answer } = await send('/user/password/reset', body);
    expect(status).toBe(422);
    const { detail } = answer as { detail: { loc: string[] }[] };
    expect(detail.map(({ loc }) => loc[1])).toEqual(fields);
  });

  it('is not replaced by a bad password, which does not use the token up', async () => {
    const { email } = await somebody('careless');
    const { token } = await forgot(email);
    const common = { password1: 'password1234', password2: 'password1234' };
    expect((await send('/user/password/reset', { token, ...common })).status).toBe(422);
    expect((await send('/user/password/reset', { token, ...PASSWORDS })).status).toBe(204);
  });

  it('lets the owner in who was locked out by strangers', async () => {
    const strict = await startServiceOn(database, { ...mailServer.environment });
    const { username, email } = await somebody('besieged', strict);
    await database.query(
      `INSERT INTO password_failure (account, failures, retry_at, expires_at)
       SELECT 'user:' || id, 100, now(), 'infinity' FROM "user" WHERE username = $1`,
      [username],
    );
    const login = (password: string): Promise<Response> =>
      strict.fetch('/user/login', form({ username, password }));
    expect((await login(PASSWORD)).status).toBe(429);
    const { token } = await forgot(email, 1, strict);
    expect((await send('/user/password/reset', { token, ...PASSWORDS }, {}, strict)).status).toBe(
      204,
    );
    expect((await login(NEXT)).status).toBe(200);
    await strict.stop();
  });

  it('that was remembered and changed needs no mail of before', async () => {
    const { email, token: login } = await somebody('remembered');
    const { token } = await forgot(email);
    const change = { current_password: PASSWORD, ...PASSWORDS };
    expect((await send('/user/password', change, authorized(login))).status).toBe(204);
    expect(await send('/user/password/reset', { token, ...PASSWORDS })).toEqual(REFUSED);
  });

  it('of an account that is disabled stays as it is', async () => {
    const { username, email } = await somebody('disabled');
    const { token } = await forgot(email);
    await database.query('UPDATE "user" SET disabled_at = now() WHERE username = $1', [username]);
    expect(await send('/user/password/reset', { token, ...PASSWORDS })).toEqual(REFUSED);
    expect((await send('/user/password/forgot', { email })).status).toBe(204);
    await waitUntil(async () => (await waitingMails()) === 0);
    expect(mailServer.mailsTo(email)).toHaveLength(2);
  });
});

async function waitingMails(): Promise<number> {
  const rows = await database.query('SELECT FROM mail WHERE next_attempt_at IS NOT NULL');
  return rows.length;
}

describe('who asks for a mail', () => {
  it('is not told whether anybody has the address', async () => {
    const { email } = await somebody('known');
    const answers = [];
    for (const address of [email, 'unknown@example.com']) {
      const response = await service.fetch('/user/password/forgot', post({ email: address }));
      const headers = [...response.headers].filter(
        ([name]) => !['date', 'x-request-id'].includes(name),
      );
      answers.push([response.status, headers, await response.text()]);
    }
    expect(answers[0]?.[0]).toBe(204);
    expect(answers[1]).toEqual(answers[0]);
    await waitUntil(async () => (await waitingMails()) === 0);
    expect(
      await database.query(`SELECT FROM mail WHERE recipient = 'unknown@example.com'`),
    ).toEqual([]);
    expect(mailServer.mailsTo('unknown@example.com')).toEqual([]);
  });

  it('cannot say where its links lead', async () => {
    const { email } = await somebody('hosted');
    const asked = await send(
      '/user/password/forgot',
      { email },
      {
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'ftp',
        forwarded: 'host=evil.example',
        origin: 'https://evil.example',
        referer: 'https://evil.example/',
      },
    );
    expect(asked.status).toBe(204);
    const mail = await mailServer.waitForMail(email, 2);
    expect(mail.link.startsWith(`${PUBLIC_URL}/`)).toBe(true);
    expect(mail.text + mail.html).not.toContain('evil');
  });

  it('is limited by address and by mailbox, whether anybody has it or not', async () => {
    await database.query('DELETE FROM rate_limit');
    const strict = await startServiceOn(database, {
      ...mailServer.environment,
      MAILS_PER_MAILBOX: '2/hour',
      MAIL_REQUESTS_PER_ADDRESS: '7/hour',
      MAIL_TOKENS_PER_ADDRESS: '3/hour',
    });
    const ask = async (email: string, path = '/user/password/forgot'): Promise<number> =>
      (await send(path, { email }, {}, strict)).status;
    for (const email of ['mailbox@example.com', 'Mailbox@example.com']) {
      expect(await ask(email)).toBe(204);
    }
    expect(await ask('mailbox@example.com')).toBe(429);
    // Of another kind, which so many of one must not keep away.
    expect(await ask('mailbox@example.com', '/user/email/verify/resend')).toBe(204);
    for (const email of ['b1@example.com', 'b2@example.com', 'b3@example.com']) {
      expect(await ask(email)).toBe(204);
    }
    expect(await ask('b4@example.com')).toBe(429);
    const statuses = [];
    for (const path of ['/user/password/reset', '/user/email/verify', '/user/email/revert']) {
      statuses.push((await send(path, { token: 'x', ...PASSWORDS }, {}, strict)).status);
    }
    expect(statuses).toEqual([422, 422, 422]);
    const { status, body } = await send('/user/email/revert', { token: 'x' }, {}, strict);
    expect([status, body]).toEqual([
      429,
      { detail: '요청이 너무 많습니다. 나중에 다시 시도하세요.' },
    ]);
    await strict.stop();
  });

  it('is told that there are no mails where there are none', async () => {
    const mute = await startServiceOn(database, { RATE_LIMIT: 'off' });
    const token = await signUp(mute, 'without mail');
    const noMail = {
      status: 503,
      body: { detail: '이 서비스는 메일을 보내지 않습니다. 관리자에게 문의하세요.' },
    };
    const email = 'somewhere@example.com';
    expect(await send('/user/password/forgot', { email }, {}, mute)).toEqual(noMail);
    expect(await send('/user/email/verify/resend', { email }, {}, mute)).toEqual(noMail);
    const change = { email, password: PASSWORD };
    expect(await send('/user/email', change, authorized(token), mute)).toEqual(noMail);
    expect(await database.query('SELECT FROM mail WHERE sent_at IS NULL')).toEqual([]);
    await mute.stop();
  });
});

describe('an address', () => {
  it('is confirmed by who signed up with it', async () => {
    const { username, token, mail } = await somebody('confirming');
    expect(await verifiedAt(token)).toBeNull();
    expect(
      (await send('/user/email/verify', { token: mail.token }, authorized(token))).status,
    ).toBe(204);
    expect(await verifiedAt(token)).toEqual(expect.any(String));
    expect(await canLogIn(username, PASSWORD)).toBe(true);
    expect(await send('/user/email/verify', { token: mail.token }, authorized(token))).toEqual(
      REFUSED,
    );
    expect(mailServer.mailsTo(mail.to)).toHaveLength(1);
  });

  it('is confirmed by the code', async () => {
    const { email, token, mail } = await somebody('confirming by code');
    const typed = { token: mail.code, email };
    expect((await send('/user/email/verify', typed, authorized(token))).status).toBe(204);
    expect(await verifiedAt(token)).toEqual(expect.any(String));
  });

  it('is no trap: confirmed by its owner, it ends what somebody else set up with it', async () => {
    const { username, email, token, mail } = await somebody('squatter');
    const theirs = referenceToken(username);
    expect((await send('/user/email/verify', { token: mail.token })).status).toBe(204);
    expect(await statusWith(service, token)).toBe(401);
    expect(await statusWith(service, theirs)).toBe(401);
    expect(await canLogIn(username, PASSWORD)).toBe(false);
    const reset = await mailServer.waitForMail(email, 2);
    const { status } = await send('/user/password/reset', { token: reset.token, ...PASSWORDS });
    expect(status).toBe(204);
    expect(await verifiedAt(await logIn(service, username, NEXT))).toEqual(expect.any(String));
  });

  it('is confirmed without a login by who knows the password', async () => {
    const { username, token, mail } = await somebody('on the phone');
    const body = { token: mail.token, password: 'wrong' };
    expect(await send('/user/email/verify', body)).toMatchObject({
      status: 422,
      body: { detail: [{ loc: ['body', 'password'] }] },
    });
    const came = await sixteenAtOnce(username, () =>
      send('/user/email/verify', { ...body, password: PASSWORD }),
    );
    expect(came[204]).toBe(1);
    expect(await verifiedAt(token)).toEqual(expect.any(String));
    expect(await canLogIn(username, PASSWORD)).toBe(true);
    expect(mailServer.mailsTo(mail.to)).toHaveLength(1);
  });

  it('is confirmed as by a stranger by who is logged in to another account', async () => {
    const { token: other } = await somebody('other one');
    const { token, mail } = await somebody('not the other');
    expect(
      (await send('/user/email/verify', { token: mail.token }, authorized(other))).status,
    ).toBe(204);
    expect(await statusWith(service, token)).toBe(401);
    expect(await statusWith(service, other)).toBe(200);
  });

  it('is not confirmed with a token that has ended, nor by another page', async () => {
    const { token, mail } = await somebody('logged out');
    await service.fetch('/user/logout', { method: 'POST', ...bearer(token) });
    const body = { token: mail.token };
    expect((await send('/user/email/verify', body, authorized(token))).status).toBe(401);
    const again = await logIn(service, 'logged out', PASSWORD);
    const foreign = { cookie: `session=${again}`, 'sec-fetch-site': 'cross-site' };
    expect((await send('/user/email/verify', body, foreign)).status).toBe(403);
    const own = { ...foreign, 'sec-fetch-site': 'same-origin' };
    expect((await send('/user/email/verify', body, own)).status).toBe(204);
    expect(await statusWith(service, again)).toBe(200);
  });

  it('is confirmed once by sixteen at once', async () => {
    const { username, token, mail } = await somebody('confirmed at once');
    const came = await sixteenAtOnce(username, () =>
      send('/user/email/verify', { token: mail.token }, authorized(token)),
    );
    expect(came[204]).toBe(1);
  });

  it('is written to again, if it is not confirmed', async () => {
    const { email, token } = await somebody('again');
    expect((await send('/user/email/verify/resend', undefined, authorized(token))).status).toBe(
      204,
    );
    const second = await mailServer.waitForMail(email, 2);
    expect((await send('/user/email/verify/resend', { email })).status).toBe(204);
    await mailServer.waitForMail(email, 3);
    expect(
      (await send('/user/email/verify', { token: second.token }, authorized(token))).status,
    ).toBe(204);
    expect((await send('/user/email/verify/resend', { email })).status).toBe(204);
    expect((await send('/user/email/verify/resend', {}, authorized(token))).status).toBe(204);
    await waitUntil(async () => (await waitingMails()) === 0);
    expect(mailServer.mailsTo(email)).toHaveLength(3);
    expect(await send('/user/email/verify/resend', undefined)).toMatchObject({
      status: 422,
      body: { detail: [{ loc: ['body', 'email'] }] },
    });
  });

  it('has to be confirmed before a login, where that is wanted', async () => {
    const strict = await startServiceOn(database, {
      ...mailServer.environment,
      RATE_LIMIT: 'off',
      REQUIRE_VERIFIED_EMAIL: 'on',
    });
    const username = 'unconfirmed';
    const email = 'unconfirmed@example.com';
    await strict.fetch('/user/create', registration(username, { email }));
    const fields = { username, password: PASSWORD };
    const words = {
      detail:
        '이메일 주소를 먼저 확인해야 합니다. 받은 메일의 링크를 열거나, 메일을 다시 요청하세요.',
      error: 'invalid_grant',
      error_description: 'The email address has to be confirmed first',
    };
    const same = { 'sec-fetch-site': 'same-origin' };
    for (const [path, status] of [
      ['/user/login', 403],
      ['/user/session', 403],
      ['/user/token', 400],
    ] as const) {
      const init = form({ ...fields, grant_type: 'password' });
      const response = await strict.fetch(path, { ...init, headers: same });
      expect([path, response.status, await response.json()]).toEqual([path, status, words]);
    }
    const wrong = await strict.fetch('/user/login', form({ ...fields, password: 'wrong' }));
    expect(wrong.status).toBe(401);
    const { token } = await mailServer.waitForMail(email);
    const confirm = { token, password: PASSWORD };
    expect((await send('/user/email/verify', confirm, {}, strict)).status).toBe(204);
    expect((await strict.fetch('/user/login', form(fields))).status).toBe(200);
    await strict.stop();
  });
});

describe('another address', () => {
  async function change(
    { token }: Pick<Somebody, 'token'>,
    email: string,
    password = PASSWORD,
  ): Promise<{ status: number; body: unknown }> {
    return send('/user/email', { email, password }, authorized(token));
  }

  async function addressOf(username: string): Promise<string | undefined> {
    const [row] = await database.query<{ email: string }>(
      'SELECT email FROM "user" WHERE username = $1',
      [username],
    );
    return row?.email;
  }

  it('is the account’s once it is confirmed there', async () => {
    const mover = await somebody('mover');
    expect(await change(mover, 'moved@example.org')).toEqual({ status: 204, body: null });
    const mail = await mailServer.waitForMail('moved@example.org');
    await mailServer.waitForMail(mover.email, 2);
    expect(await addressOf('mover')).toBe(mover.email);
    const { status } = await send(
      '/user/email/verify',
      { token: mail.token },
      authorized(mover.token),
    );
    expect(status).toBe(204);
    expect(await addressOf('mover')).toBe('moved@example.org');
    expect(await verifiedAt(mover.token)).toEqual(expect.any(String));
    // What was sent to the old one is no good for the new one.
    expect(
      await send('/user/email/verify', { token: mover.mail.token }, authorized(mover.token)),
    ).toEqual(REFUSED);
  });

  it('is given by nobody who does not know the password', async () => {
    const victim = await somebody('victim');
    expect(await change(victim, 'thief@example.org', 'wrong')).toMatchObject({
      status: 422,
      body: { detail: [{ loc: ['body', 'password'] }] },
    });
    expect((await send('/user/email', { email: 'a@b.example', password: 'x' })).status).toBe(401);
    expect(mailServer.mailsTo('thief@example.org')).toEqual([]);
  });

  it('is nobody else’s', async () => {
    const one = await somebody('one');
    const two = await somebody('two');
    expect(await change(one, two.email)).toEqual(TAKEN);
    // Or by the time that it is confirmed.
    expect((await change(one, 'late@example.org')).status).toBe(204);
    const { token } = await mailServer.waitForMail('late@example.org');
    await service.fetch('/user/create', registration('three', { email: 'late@example.org' }));
    expect(await send('/user/email/verify', { token }, authorized(one.token))).toEqual(TAKEN);
    expect(await addressOf('one')).toBe(one.email);
  });

  it('is the last one that was asked for', async () => {
    const fickle = await somebody('fickle');
    await change(fickle, 'first@example.org');
    const first = await mailServer.waitForMail('first@example.org');
    await change(fickle, 'second@example.org');
    const second = await mailServer.waitForMail('second@example.org');
    const login = authorized(fickle.token);
    expect(await send('/user/email/verify', { token: first.token }, login)).toEqual(REFUSED);
    expect((await send('/user/email/verify', { token: second.token }, login)).status).toBe(204);
    expect(await addressOf('fickle')).toBe('second@example.org');
  });

  it('is taken back from the old one, and with it what the thief knows', async () => {
    const robbed = await confirmed('robbed');
    expect((await change(robbed, 'robber@example.org')).status).toBe(204);
    const notice = await mailServer.waitForMail(robbed.email, 2);
    expect(notice.link).toMatch(new RegExp(`^${PUBLIC_URL}/revert-email#`));
    const theirs = await mailServer.waitForMail('robber@example.org');
    await send('/user/email/verify', { token: theirs.token }, authorized(robbed.token));
    // Nobody gets the address meanwhile.
    for (const request of [
      () => send('/user/create', JSON.parse(registration('x y', { email: robbed.email }).body)),
      async () => change(await somebody('another robber'), robbed.email),
    ]) {
      expect(await request()).toEqual(TAKEN);
    }
    // Six days later, after another change.
    await change(robbed, 'robber2@example.org');
    const again = await mailServer.waitForMail('robber2@example.org');
    await send('/user/email/verify', { token: again.token }, authorized(robbed.token));
    const robbers = await mailServer.waitForMail('robber@example.org', 2);
    await database.query(
      `UPDATE recovery_token SET expires_at = expires_at - interval '6 days' WHERE email = $1`,
      [robbed.email],
    );
    expect((await send('/user/email/revert', { token: notice.token })).status).toBe(204);
    expect(await addressOf('robbed')).toBe(robbed.email);
    expect(await statusWith(service, robbed.token)).toBe(401);
    expect(await canLogIn('robbed', PASSWORD)).toBe(false);
    // The thief's own notice is no good any more.
    expect(await send('/user/email/revert', { token: robbers.token })).toEqual(REFUSED);
    const reset = await mailServer.waitForMail(robbed.email, 3);
    await send('/user/password/reset', { token: reset.token, ...PASSWORDS });
    expect(await canLogIn('robbed', NEXT)).toBe(true);
  });

  it('is stopped from the old one before it is confirmed', async () => {
    const stopped = await somebody('stopping');
    await change(stopped, 'not.yet@example.org');
    const theirs = await mailServer.waitForMail('not.yet@example.org');
    const notice = await mailServer.waitForMail(stopped.email, 2);
    expect((await send('/user/email/revert', { token: notice.token })).status).toBe(204);
    expect(await send('/user/email/verify', { token: theirs.token })).toEqual(REFUSED);
    expect(await addressOf('stopping')).toBe(stopped.email);
  });

  it('is taken back by the owner, not by who had the account later', async () => {
    const owner = await somebody('owner');
    await change(owner, 'thief1@example.org');
    const thief = await mailServer.waitForMail('thief1@example.org');
    await send('/user/email/verify', { token: thief.token }, authorized(owner.token));
    const owners = await mailServer.waitForMail(owner.email, 2);
    await change(owner, 'thief2@example.org');
    const thiefs = await mailServer.waitForMail('thief1@example.org', 2);
    // The thief goes back to an address of theirs, and the owner can all the same.
    expect((await send('/user/email/revert', { token: thiefs.token })).status).toBe(204);
    expect((await send('/user/email/revert', { token: owners.token })).status).toBe(204);
    expect(await addressOf('owner')).toBe(owner.email);
  });

  /** Has mails sent that were put off. */
  async function retry(): Promise<void> {
    await database.query('UPDATE mail SET next_attempt_at = now() WHERE sent_at IS NULL');
    // Which has the worker look.
    await send('/user/password/forgot', { email: 'nobody.at.all@example.com' });
    await waitUntil(async () => (await waitingMails()) === 0);
  }

  it('is confirmed by nobody who is neither logged in nor knows the password', async () => {
    const mover = await somebody('mover by phone');
    await change(mover, 'phone@example.org');
    const { token } = await mailServer.waitForMail('phone@example.org');
    expect(await send('/user/email/verify', { token })).toMatchObject({
      status: 422,
      body: { detail: [{ loc: ['body', 'password'], type: 'value_error.missing' }] },
    });
    expect((await send('/user/email/verify', { token, password: PASSWORD })).status).toBe(204);
    expect(await addressOf('mover by phone')).toBe('phone@example.org');
  });

  it.each([
    [
      'resets the password',
      async ({ email }: Somebody) => {
        const { token } = await forgot(email, 2);
        return send('/user/password/reset', { token, ...PASSWORDS });
      },
    ],
    [
      'changes the password',
      ({ token }: Somebody) =>
        send('/user/password', { current_password: PASSWORD, ...PASSWORDS }, authorized(token)),
    ],
    [
      'takes it back',
      async ({ email }: Somebody) => {
        const { token } = await mailServer.waitForMail(email, 2);
        return send('/user/email/revert', { token });
      },
    ],
    [
      'asks the operator',
      async ({ username }: Somebody) => {
        const environment = { SECRET_KEY: TEST_SECRET_KEY, ...database.environment };
        for (const command of ['disable', 'enable']) {
          expect((await runCommand('user', [command, username], environment)).status).toBe(0);
        }
        return { status: 204 };
      },
    ],
  ])('is not the thief’s any more once the owner %s', async (what, recover) => {
    const owner = await somebody(`owner who ${what}`);
    // One that has arrived, one that waits, and one that was refused for good.
    const there = `${what.replaceAll(' ', '.')}@there.example`;
    const late = `${what.replaceAll(' ', '.')}@late.example`;
    const last = `${what.replaceAll(' ', '.')}@last.example`;
    mailServer.refuse(late, 451, 'Come back later');
    mailServer.refuse(last, 550, 'Never');
    await change(owner, there);
    const arrived = await mailServer.waitForMail(there);
    await mailServer.waitForMail(owner.email, 2);
    await database.query(
      `INSERT INTO mail (kind, user_id, recipient, language, expires_at)
       SELECT 'change', id, address, 'en', now() + interval '1 day'
         FROM "user", unnest($2::varchar[]) AS address WHERE username = $1`,
      [owner.username, [late, last]],
    );
    await send('/user/password/forgot', { email: 'nobody.at.all@example.com' });
    await waitUntil(async () => {
      const failed = 'SELECT FROM mail WHERE failure IS NOT NULL AND recipient = ANY ($1)';
      return (await database.query(failed, [[late, last]])).length === 2;
    });
    expect((await recover(owner)).status).toBe(204);
    expect(await send('/user/email/verify', { token: arrived.token, password: PASSWORD })).toEqual(
      REFUSED,
    );
    for (const address of [late, last]) mailServer.take(address);
    await retry();
    expect([...mailServer.mailsTo(late), ...mailServer.mailsTo(last)]).toEqual([]);
    expect(await addressOf(owner.username)).toBe(owner.email);
  });

  it('is taken back for good, however late the notices come', async () => {
    const owner = await confirmed('greylisted');
    mailServer.refuse(owner.email, 451, 'Come back later');
    const thief = async (address: string): Promise<void> => {
      expect((await change(owner, address)).status).toBe(204);
      const { token } = await mailServer.waitForMail(address);
      await send('/user/email/verify', { token }, authorized(owner.token));
    };
    await thief('grey1@example.org');
    await thief('grey2@example.org');
    const thiefs = await mailServer.waitForMail('grey1@example.org', 2);
    mailServer.refuse('grey2@example.org', 451, 'Come back later');
    expect((await change(owner, 'grey3@example.org')).status).toBe(204);
    mailServer.take(owner.email);
    await database.query(`UPDATE mail SET next_attempt_at = now() WHERE recipient = $1`, [
      owner.email,
    ]);
    await send('/user/password/forgot', { email: 'nobody.at.all@example.com' });
    const { token } = await mailServer.waitForMail(owner.email, 2);
    expect((await send('/user/email/revert', { token })).status).toBe(204);
    expect(await addressOf('greylisted')).toBe(owner.email);
    mailServer.take('grey2@example.org');
    await retry();
    expect(mailServer.mailsTo('grey2@example.org').slice(1)).toEqual([]);
    expect(await send('/user/email/revert', { token: thiefs.token })).toEqual(REFUSED);
  });

  it('is kept for who has given it up, whether it was confirmed or not', async () => {
    const owner = await somebody('given up');
    await change(owner, 'given.up@example.org');
    const { token } = await mailServer.waitForMail('given.up@example.org');
    const notice = await mailServer.waitForMail(owner.email, 2);
    await send('/user/email/verify', { token }, authorized(owner.token));
    const thiefs = registration('in the way', { email: owner.email });
    expect((await service.fetch('/user/create', thiefs)).status).toBe(409);
    expect((await send('/user/email/revert', { token: notice.token })).status).toBe(204);
    expect(await addressOf('given up')).toBe(owner.email);
  });

  it('is kept from who asks at the moment in which it is given up', async () => {
    const owner = await somebody('giving up');
    const gate = await database.hold(
      `UPDATE "user" SET email = 'moving@example.org' WHERE username = 'giving up'`,
    );
    await gate.query(
      `INSERT INTO recovery_token (hash, user_id, purpose, email, mail_id, expires_at)
       SELECT '\\x02', id, 'kept', $1, 0, now() + interval '1 hour'
         FROM "user" WHERE username = 'giving up'`,
      [owner.email],
    );
    const thiefs = service.fetch(
      '/user/create',
      registration('at that moment', { email: owner.email }),
    );
    await waitUntil(async () => (await gate.waiting()) === 1);
    await gate.release();
    expect((await thiefs).status).toBe(409);
  });

  it('is no way back for the thief once the owner has gone back by hand', async () => {
    const owner = await confirmed('by hand');
    const go = async (address: string, nth: number): Promise<void> => {
      expect((await change(owner, address)).status).toBe(204);
      const { token } = await mailServer.waitForMail(address, nth);
      const { status } = await send('/user/email/verify', { token }, authorized(owner.token));
      expect(status).toBe(204);
    };
    await go('hand@example.org', 1);
    await mailServer.waitForMail(owner.email, 2);
    await go(owner.email, 3);
    const thiefs = await mailServer.waitForMail('hand@example.org', 2);
    expect(await send('/user/email/revert', { token: thiefs.token })).toEqual(REFUSED);
    expect(await addressOf('by hand')).toBe(owner.email);
  });

  it('that cannot be given back leaves the account to nobody', async () => {
    const owner = await confirmed('beside FastAPI');
    await change(owner, 'fast@example.org');
    const { token } = await mailServer.waitForMail('fast@example.org');
    await send('/user/email/verify', { token }, authorized(owner.token));
    // As the FastAPI backend does, which knows of nothing that is kept.
    await database.query(
      `INSERT INTO "user" (username, email, password) VALUES ('fast', $1, '!')`,
      [owner.email],
    );
    const notice = await mailServer.waitForMail(owner.email, 2);
    expect(await send('/user/email/revert', { token: notice.token })).toEqual(TAKEN);
    expect(await statusWith(service, owner.token)).toBe(401);
    expect(await canLogIn('beside FastAPI', PASSWORD)).toBe(false);
  });

  it('that somebody else has written makes what was sent to the one before no good', async () => {
    const typo = await somebody('typo');
    const { token } = await forgot(typo.email);
    await database.query(`UPDATE "user" SET email = 'right@example.org' WHERE username = 'typo'`);
    expect(await send('/user/email/verify', { token: typo.mail.token })).toEqual(REFUSED);
    expect(await send('/user/password/reset', { token, ...PASSWORDS })).toEqual(REFUSED);
    expect(await addressOf('typo')).toBe('right@example.org');
  });

  it('leaves nothing behind when the account is deleted', async () => {
    const gone = await somebody('gone');
    await change(gone, 'gone@example.org');
    await mailServer.waitForMail('gone@example.org');
    expect(
      (await send('/user/delete', { password: PASSWORD }, authorized(gone.token))).status,
    ).toBe(204);
    for (const table of ['mail', 'recovery_token']) {
      const column = { mail: 'recipient', recovery_token: 'email' }[table] ?? '';
      expect(await database.query(`SELECT FROM ${table} WHERE ${column} LIKE 'gone@%'`)).toEqual(
        [],
      );
    }
  });
});
