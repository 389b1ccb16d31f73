import { runCommand } from './support/command';
import { createMigratedDatabase, type TestDatabase } from './support/database';
import { JSON_TYPE, post, registration } from './support/client';
import { PUBLIC_URL, type ReceivedMail, SMTP_PASS, TestMailServer } from './support/mail-server';
import { type RunningService, startServiceOn, waitUntil } from './support/service';

/** A row of the outbox. */
interface Row {
  readonly id: string;
  readonly attempts: number;
  readonly failure: string | null;
  /** Seconds until the next attempt, if there will be one. */
  readonly wait: number | null;
  readonly sent: boolean;
}

let database: TestDatabase;
let server: TestMailServer;
let service: RunningService;

/** What is on at least one test's way: a database, a service and what is theirs. */
interface Place {
  readonly database: TestDatabase;
  readonly service: RunningService;
}

let here: Place;

beforeAll(async () => {
  [database, server] = await Promise.all([createMigratedDatabase(), TestMailServer.start()]);
  service = await startServiceOn(database, { ...server.environment, RATE_LIMIT: 'off' });
  here = { database, service };
});

afterAll(async () => {
  await service.stop();
  await server.stop();
  await database.drop();
});

describe('a mail', () => {
  it('brings a link and a code, either of which works', async () => {
    const email = await register('hana');
    const { link, code, text, html, headers, from } = await server.waitForMail(email);
    expect(link).toMatch(/^https:\/\/accounts\.example\.com\/verify-email#[\w-]{43}$/);
    expect(code).toMatch(/^\d{8}$/);
    expect(html).toContain(`href="${link}"`);
    expect(html).toContain(`>${code.slice(0, 4)} ${code.slice(4)}<`);
    expect(text).toContain('accounts.example.com');
    expect(from).toBe('accounts@example.com');
    expect(headers.get('from')).toBe('Accounts <accounts@example.com>');
    expect(headers.get('auto-submitted')).toBe('auto-generated');
    expect(html).not.toMatch(/<img|<script|src=|url\(/);

    expect(await status('/user/email/verify', { token: code, email })).toBe(204);
    await forgot(email);
    const reset = await server.waitForMail(email, 2);
    expect(reset.link).toMatch(/^https:\/\/accounts\.example\.com\/reset-password#/);
    const passwords = { password1: 'another horse 7', password2: 'another horse 7' };
    expect(await status('/user/password/reset', { token: reset.token, ...passwords })).toBe(204);
  });

  it('has links to PUBLIC_URL, whatever a request says', async () => {
    const email = await register('host');
    await server.waitForMail(email);
    await forgot(email, { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' });
    const { link, text, html } = await server.waitForMail(email, 2);
    expect(link).toMatch(new RegExp(`^${PUBLIC_URL}/`));
    expect(text + html).not.toContain('evil');
  });

  it.each([
    ['en-GB,en;q=0.9', 'en', 'Choose a new password for accounts.example.com'],
    ['ko-KR', 'ko', '[accounts.example.com] 비밀번호 재설정'],
    ['*', 'ko', '[accounts.example.com] 비밀번호 재설정'],
  ])('is in the language of %s', async (language, code, subject) => {
    const email = await register(`lang-${String(server.mails.length)}`);
    await server.waitForMail(email);
    await forgot(email, { 'accept-language': language });
    const mail = await server.waitForMail(email, 2);
    expect(mail.subject).toBe(subject);
    expect(mail.html).toContain(`<html lang="${code}">`);
  });

  it('names only who has shown to be there, and as text', async () => {
    const email = await register('<b>$& me</b>');
    const before = await server.waitForMail(email);
    expect(before.text + before.html).not.toMatch(/me(<|&lt;)\/b/);
    await database.query('UPDATE "user" SET email_verified_at = now() WHERE email = $1', [email]);
    await forgot(email);
    const { text, html } = await server.waitForMail(email, 2);
    expect(text).toContain('<b>$& me</b>');
    expect(html).toContain('&lt;b&gt;$&amp; me&lt;/b&gt;');
    expect(html).not.toContain('<b>');
  });

  it('goes to the address of the account, not to one that is typed like it', async () => {
    const email = await register('ida', 'ida@example.com');
    await server.waitForMail(email);
    await forgot('Ida@example.com');
    await server.waitForMail(email, 2);
    expect(server.mailsTo('Ida@example.com')).toEqual([]);

    await register('ida2', 'Ida@example.com');
    await server.waitForMail('Ida@example.com');
    await forgot('Ida@example.com');
    await server.waitForMail('Ida@example.com', 2);
    expect(server.mailsTo(email)).toHaveLength(2);
  });

  it('is sent to nobody who has no account, or a disabled one, and leaves no row', async () => {
    const email = await register('disabled');
    await server.waitForMail(email);
    await database.query('UPDATE "user" SET disabled_at = now() WHERE email = $1', [email]);
    await forgot('nobody@example.com');
    await forgot(email);
    await waitUntil(async () => (await rows('nobody@example.com')).length === 0);
    await waitUntil(async () => (await rows(email)).length === 1);
    expect(server.mailsTo('nobody@example.com')).toEqual([]);
    expect(server.mailsTo(email)).toHaveLength(1);
  });

  it('that is taken back while it is written is not sent, and leaves no token', async () => {
    const email = await register('taken-back');
    await server.waitForMail(email);
    const tokens = `SELECT FROM recovery_token WHERE email = '${email}' AND purpose = 'reset'`;
    const hold = await database.hold(
      `SELECT FROM "user" WHERE email = '${email}' FOR NO KEY UPDATE`,
    );
    await forgot(email);
    await waitUntil(async () => (await hold.waiting()) > 0);
    await hold.query("DELETE FROM mail WHERE recipient = $1 AND kind = 'reset'", [email]);
    await hold.release();
    await forgot('barrier@example.com');
    await waitUntil(async () => (await rows('barrier@example.com')).length === 0);
    await settled();
    expect(server.mailsTo(email)).toHaveLength(1);
    expect(await database.query(tokens)).toEqual([]);
  });
});

describe('an outbox', () => {
  it('of two processes sends each mail once', async () => {
    const other = await startServiceOn(database, { ...server.environment, RATE_LIMIT: 'off' });
    const email = await register('many');
    await server.waitForMail(email);
    const hold = await database.hold(
      `INSERT INTO mail (kind, recipient, language, expires_at)
       SELECT 'reset', '${email}', 'en', now() + interval '1 hour' FROM generate_series(1, 40)`,
    );
    await hold.release();
    await Promise.all([service, other].map((one) => forgot('nobody@example.com', {}, one)));
    await server.waitForMail(email, 41);
    await settled();
    expect(server.mailsTo(email)).toHaveLength(41);
    expect(new Set(server.mailsTo(email).map(idOf)).size).toBe(41);
    await other.stop();
  });

  it('waits longer and longer for a server that is down, and sends when it is up', async () => {
    const email = await register('down');
    await server.waitForMail(email);
    await server.stop();
    await forgot(email);
    const waits: number[] = [];
    for (const attempts of [1, 2, 3, 4]) {
      const { failure, wait } = await failed(email, attempts);
      expect(failure).toBe('ECONNREFUSED');
      waits.push(wait ?? 0);
      if (attempts < 4) await sendNow(email);
    }
    const [first = 0, second = 0, third = 0, fourth = 0] = waits;
    expect(first).toBeGreaterThan(0);
    expect([first < 20, second > 20, third > 100, fourth > 400]).toEqual([true, true, true, true]);
    await server.startAgain();
    await sendNow(email);
    await server.waitForMail(email, 2);
    await waitUntil(async () => (await row(email)).sent);
    expect(await row(email)).toMatchObject({ attempts: 5, failure: null, wait: null });
  });

  it('comes again to a server that puts it off', async () => {
    const email = await register('later');
    await server.waitForMail(email);
    server.refuse(email, 451, '4.7.1 Greylisted, please wait');
    await forgot(email);
    const { failure, wait } = await failed(email, 1);
    expect(failure).toBe('451 4.7.1 Greylisted, please wait');
    expect(wait).toBeGreaterThan(0);
    expect(service.output()).toMatch(
      /Mail \d+ \(reset, attempt 1\) was not sent.* 451 4\.7\.1"?\s/,
    );
    server.take(email);
    await sendNow(email);
    await server.waitForMail(email, 2);
  });

  it('gives up what is refused for good, shows it, and sends it when told to', async () => {
    const email = await register('refused');
    await server.waitForMail(email);
    server.refuse(email, 550, '5.1.1 No \u001b[2Jsuch\u009b user here');
    await forgot(email);
    await waitUntil(async () => (await row(email)).failure !== null);
    const { id, wait, attempts, sent } = await row(email);
    expect({ wait, attempts, sent }).toEqual({ wait: null, attempts: 1, sent: false });
    const { status: listed, output } = await list('--dead');
    expect(listed).toBe(0);
    expect(output).toMatch(
      new RegExp(
        `^${id}  dead  reset  ${email}  \\S+  1 attempt  550 5\\.1\\.1 No \\[2Jsuch user here$`,
        'm',
      ),
    );
    const json = JSON.parse((await list('--dead', '--json')).output) as object[];
    expect(json).toContainEqual(expect.objectContaining({ id, state: 'dead', recipient: email }));
    expect(JSON.parse((await list('--json')).output)).toContainEqual(
      expect.objectContaining({ kind: 'verify', recipient: email, state: 'sent' }),
    );

    server.take(email);
    const retried = await command('retry', id, '999999999999999999');
    expect(retried).toMatchObject({ status: 1, output: `Mail ${id} will be sent\n` });
    const [logged = '', ...said] = retried.errors.trimEnd().split('\n');
    expect(JSON.parse(logged)).toMatchObject({
      msg: 'security',
      event: 'mail_retried',
      mail: id,
      operator: 'minsu',
    });
    expect(said).toEqual(['Not given up, or not there: 999999999999999999']);
    await forgot('wake@example.com');
    await server.waitForMail(email, 2);
    await waitUntil(async () => (await row(email)).sent);
    expect(await command('retry', id)).toMatchObject({ status: 1, output: '' });
    expect(await command('retry', 'all')).toMatchObject({ status: 2, output: '' });
  });

  it('is listed with 999 others, the newest, and cannot speak to the terminal', async () => {
    await database.query(
      `INSERT INTO mail (kind, recipient, language, expires_at, next_attempt_at, failure)
       SELECT 'reset', i || '@many.example', 'en', now(), NULL, E'\\u001b[2J\\u009b'
         FROM generate_series(1, 1001) i`,
    );
    const { output, errors } = await list('--dead');
    const lines = output.trimEnd().split('\n');
    expect(lines).toHaveLength(1000);
    expect(lines[0]).toMatch(/ 2@many\.example .* \\u\{1b\}\[2J\\u\{9b\}$/);
    expect(lines.at(-1)).toContain('  1001@many.example  ');
    expect(errors).toBe('There are more: these are the newest 1000\n');
    const json = (await list('--dead', '--json')).output;
    expect(json).not.toMatch(/[\u007f-\u009f]/);
    expect((JSON.parse(json) as object[]).at(-1)).toMatchObject({ failure: '\u001b[2J\u009b' });
    await database.query(`DELETE FROM mail WHERE recipient LIKE '%@many.example'`);
    expect((await list('--dead')).errors).toBe('');
  });

  it('gives up what nobody waits for any more', async () => {
    const email = await register('expired');
    await server.waitForMail(email);
    await database.query(
      `INSERT INTO mail (kind, user_id, recipient, language, expires_at, failure)
       SELECT 'verify', id, email, 'en', now(), '451 later' FROM "user" WHERE email = $1
        UNION ALL SELECT 'reset', NULL, 'typed@example.com', 'en', now(), '451 later'`,
      [email],
    );
    await forgot('wake@example.com');
    await waitUntil(async () => (await row(email)).wait === null);
    // Whose address somebody has typed is nobody's to see.
    await waitUntil(async () => (await rows('typed@example.com')).length === 0);
    expect(await row(email)).toMatchObject({ sent: false, failure: 'expired: 451 later' });
    expect(server.mailsTo(email)).toHaveLength(1);
  });

  it('with a server that is slow for one holds up neither the others nor requests', async () => {
    const [slow, quick] = [await register('slow'), await register('quick')];
    await Promise.all([slow, quick].map((email) => server.waitForMail(email)));
    const release = server.hold(slow);
    await forgot(slow);
    await server.waitForMail(slow, 2);
    await forgot(quick);
    await server.waitForMail(quick, 2);
    expect(await row(slow)).toMatchObject({ sent: false });
    release();
    await waitUntil(async () => (await row(slow)).sent);
    expect(server.mailsTo(slow)).toHaveLength(2);
    server.take(slow);
  });

  it('comes again to a mail whose process was killed, and it is the same mail', async () => {
    await elsewhere({}, async (place) => {
      const email = await register('killed', undefined, place);
      await server.waitForMail(email);
      const release = server.hold(email);
      await forgot(email, {}, place.service);
      await server.waitForMail(email, 2);
      await place.service.stop('SIGKILL');
      release();
      server.take(email);
      // Until the lease ends, it is nobody else's.
      expect(await row(email, place)).toMatchObject({ sent: false, attempts: 1 });
      expect((await row(email, place)).wait).toBeGreaterThan(120);
      await sendNow(email, place);
      const next = await startServiceOn(place.database, server.environment);
      const again = await server.waitForMail(email, 3);
      const [, first] = server.mailsTo(email);
      expect(idOf(again)).toBe(first && idOf(first));
      expect(again.token).not.toBe(first?.token);
      await waitUntil(async () => (await row(email, place)).sent);
      await next.stop();
    });
  });

  it('is taken up at once by another process when the one that has a mail stops', async () => {
    await elsewhere({}, async (place) => {
      const email = await register('stopped', undefined, place);
      await server.waitForMail(email);
      const release = server.hold(email);
      await forgot(email, {}, place.service);
      await server.waitForMail(email, 2);
      await place.service.stop();
      release();
      server.take(email);
      const { attempts, wait } = await row(email, place);
      expect([attempts, (wait ?? 1) <= 0]).toEqual([0, true]);
      const next = await startServiceOn(place.database, server.environment);
      expect(idOf(await server.waitForMail(email, 3))).toBe(
        server.mailsTo(email).slice(1, 2).map(idOf)[0],
      );
      await next.stop();
    });
  });

  it('goes to no server whose certificate nobody vouches for', async () => {
    const stranger = await TestMailServer.start({ tls: true });
    try {
      const { SMTP_URL: url = '' } = stranger.environment;
      await elsewhere({ SMTP_URL: url }, async (place) => {
        const email = await register('stranger', undefined, place);
        expect((await failed(email, 1, place)).failure).toMatch(/CERT/);
      });
      expect(stranger.mails).toEqual([]);
    } finally {
      await stranger.stop();
    }
  });

  it('tells no secret to the log, and keeps none', async () => {
    const wrong = server.environment['SMTP_URL']?.replace(SMTP_PASS, 'guessed-by-operator') ?? '';
    await elsewhere({ SMTP_URL: wrong }, async (place) => {
      const email = await register('secret', undefined, place);
      const { failure } = await failed(email, 1, place);
      // It is not the mail's fault.
      expect(failure).toBe('535');
      expect(place.service.output()).toContain('was not sent');
      expect(place.service.output()).not.toMatch(new RegExp(`guessed-by|${email}`));
    });

    const email = await register('said');
    await server.waitForMail(email);
    server.refuseContent(
      email,
      ({ link, token, code }) => `5.7.1 ${link} ${token} ${code} is spam`,
    );
    await forgot(email);
    await waitUntil(async () => (await row(email)).failure !== null);
    expect((await row(email)).failure).toBe('554 5.7.1 … … … is spam');
    expect(service.output()).toMatch(/will not be sent: 554 5\.7\.1/);

    const log = service.output();
    const [{ kept } = { kept: '' }] = await database.query<{ kept: string }>(
      "SELECT string_agg(mail::text, ' ') AS kept FROM mail",
    );
    expect(server.mails.length).toBeGreaterThan(0);
    for (const { token, code, to } of server.mails) {
      expect(log).not.toContain(token);
      expect(log).not.toContain(code);
      expect(log).not.toContain(to);
      expect(kept).not.toContain(token);
      expect(kept).not.toContain(code);
    }
    expect(log + kept).not.toContain(SMTP_PASS);
  });

  it('forgets what was sent after a day, what was not after a month, and tokens in time', async () => {
    const email = 'old@example.com';
    await database.query(
      `INSERT INTO mail (kind, recipient, language, created_at, expires_at, next_attempt_at, sent_at, content)
       SELECT 'reset', $1, language, now() - age, now(), next, sent, content::jsonb
         FROM (VALUES ('sent long ago', interval '2 days', NULL, now() - interval '25 hours', NULL),
                      ('sent', interval '2 days', NULL, now() - interval '23 hours', NULL),
                      ('kept long ago', interval '31 days', NULL, now() - interval '31 days', '{}'),
                      ('kept', interval '29 days', NULL, now() - interval '29 days', '{}'),
                      ('dead long ago', interval '31 days', NULL, NULL, NULL),
                      ('dead', interval '29 days', NULL, NULL, NULL),
                      ('waiting', interval '31 days', now() + interval '1 day', NULL, NULL)
              ) AS old (language, age, next, sent, content)`,
      [email],
    );
    await database.query(
      `INSERT INTO recovery_token (hash, user_id, purpose, email, expires_at)
       SELECT column1::bytea, (SELECT min(id) FROM "user"), 'reset', $1, now() + column2
         FROM (VALUES ('a', interval '-1 minute'), ('b', interval '1 hour')) AS tokens`,
      [email],
    );
    const other = await startServiceOn(database, server.environment);
    const left = async (): Promise<string[]> =>
      (
        await database.query<{ name: string }>(
          `SELECT language AS name FROM mail WHERE recipient = $1
            UNION ALL SELECT encode(hash, 'escape') FROM recovery_token WHERE email = $1 ORDER BY 1`,
          [email],
        )
      ).map(({ name }) => name);
    await waitUntil(async () => (await left()).length === 5);
    expect(await left()).toEqual(['b', 'dead', 'kept', 'sent', 'waiting']);
    await other.stop();
  });
});

/** Signs up. @returns the address, to which a mail is on its way */
async function register(
  username: string,
  email = `${username.replace(/\W/g, '')}@example.com`,
  { service: at }: Place = here,
): Promise<string> {
  const { status: created } = await at.fetch('/user/create', registration(username, { email }));
  expect(created).toBe(204);
  return email;
}

/** Asks for a mail to reset a password. */
async function forgot(
  email: string,
  headers: Record<string, string> = {},
  at = service,
): Promise<void> {
  const response = await at.fetch('/user/password/forgot', {
    ...post({ email }),
    headers: { ...JSON_TYPE, ...headers },
  });
  expect(response.status).toBe(204);
}

async function status(path: string, body: object): Promise<number> {
  return (await service.fetch(path, post(body))).status;
}

/** The mails to an address, oldest first. */
function rows(email: string, { database: of }: Place = here): Promise<Row[]> {
  return of.query<Row>(
    `SELECT id, attempts, failure, extract(epoch FROM next_attempt_at - now())::float AS wait,
            sent_at IS NOT NULL AS sent FROM mail WHERE recipient = $1 ORDER BY id`,
    [email],
  );
}

/** The last of them. */
async function row(email: string, place = here): Promise<Row> {
  const last = (await rows(email, place)).at(-1);
  if (last === undefined) throw new Error(`There is no mail to ${email}`);
  return last;
}

/** The last of them, as soon as that attempt has failed. */
async function failed(email: string, attempts: number, place = here): Promise<Row> {
  let last = await row(email, place);
  await waitUntil(async () => {
    last = await row(email, place);
    // Not before it was noted: until then, the wait is that of the lease.
    return last.attempts === attempts && last.failure !== null && (attempts === 1 || noted(last));
  }, place.service.output);
  return last;
}

/** What a lease leaves is no wait of any attempt but the first two. */
function noted({ wait }: Row): boolean {
  return wait === null || wait < 120 || wait > 185;
}

/** Has the process send a mail that it has put off. */
async function sendNow(email: string, { database: of, service: at }: Place = here): Promise<void> {
  await of.query(
    'UPDATE mail SET next_attempt_at = now() WHERE recipient = $1 AND next_attempt_at IS NOT NULL',
    [email],
  );
  if (at === service) await forgot('wake@example.com');
}

/** Nothing is under way. */
async function settled(): Promise<void> {
  await waitUntil(async () => {
    const waiting = await database.query(
      "SELECT FROM mail WHERE next_attempt_at < now() + interval '3 minutes'",
    );
    return waiting.length === 0;
  });
}

function idOf({ headers }: ReceivedMail): string {
  return headers.get('message-id') ?? '';
}

/** Does something with a service on a database of its own. */
async function elsewhere(
  environment: Record<string, string>,
  work: (place: Place) => Promise<void>,
): Promise<void> {
  const own = await createMigratedDatabase();
  const at = await startServiceOn(own, { ...server.environment, ...environment });
  try {
    await work({ database: own, service: at });
  } finally {
    await at.stop('SIGKILL');
    await own.drop();
  }
}

function list(...options: string[]): ReturnType<typeof runCommand> {
  return command('list', ...options);
}

function command(...commandArguments: string[]): ReturnType<typeof runCommand> {
  return runCommand('mail', commandArguments, {
    ...database.environment,
    ...server.environment,
    SECRET_KEY: 'a key that signs nothing here, and is long',
    SUDO_USER: 'minsu',
  });
}
