import { createSecretKey } from 'node:crypto';
import * as bcryptjs from 'bcryptjs';
import { parseSettings } from '../config/settings';
import { SigningKeys } from '../config/signing-keys';
import { parseHash } from './hash-format';
import { HashQueue, type RunHash } from './hash-queue';
import { PasswordHasher } from './password-hasher';

/** One hasher with threads of its own. */
class Fixture {
  readonly queue: HashQueue;
  readonly hasher: PasswordHasher;

  constructor(environment: Record<string, string> = {}) {
    const settings = parseSettings({ BCRYPT_COST: '4', HASH_CONCURRENCY: '1', ...environment });
    this.queue = new HashQueue(settings);
    this.hasher = new PasswordHasher(
      this.queue,
      settings,
      new SigningKeys(createSecretKey('a key of the tests', 'utf8')),
    );
  }

  hash(password: string): Promise<string> {
    return this.hasher.reserve(undefined, (run) => this.hasher.hash(run, password));
  }

  /** Whether it verifies, and every hash that was computed to find out. */
  async verify(
    password: string,
    stored: string | undefined,
    username = 'hana',
  ): Promise<{ matches: boolean; work: string[] }> {
    const work: string[] = [];
    const matched = await this.hasher.reserve(undefined, (run) => {
      const recorded: RunHash = (task) => {
        if (task.name === 'verify') work.push(parseHash(task.hash)?.settings ?? 'malformed');
        return run(task);
      };
      return this.hasher.verify(recorded, password, username, stored);
    });
    return { matches: matched !== undefined, work };
  }

  async matches(password: string, stored: string): Promise<boolean> {
    return (await this.verify(password, stored)).matches;
  }
}

const fixtures: Fixture[] = [];
function fixture(environment?: Record<string, string>): Fixture {
  const made = new Fixture(environment);
  fixtures.push(made);
  return made;
}

afterAll(async () => {
  await Promise.all(fixtures.map(({ queue }) => queue.onApplicationShutdown()));
});

const DIGITS_100 = '0123456789'.repeat(10);

/** Made by passlib 1.7.4 with bcrypt 3.2.2, Apache's htpasswd, libxcrypt and argon2-cffi. */
const VECTORS: [string, string, string][] = [
  ['passlib bcrypt 2a', 'pw', '$2a$04$1gg08zRTW4DUGofuOEIyi.evO/h.A67zX7Q1x3koH2gcJmro83CYy'],
  ['passlib bcrypt 2y', 'pw', '$2y$04$gblBTFHMvFGh1.1poxgPd.APBPfuwgIDor5KYslaAvrt7GZxSOMnu'],
  [
    'htpasswd 2y',
    'correct horse 9',
    '$2y$04$oG3RyPW0mle.SAqoh1mNceMDPTIFWKlZE7a6oW9pV1CgGinXHzeAS',
  ],
  [
    'libxcrypt 2b',
    'correct horse 9',
    '$2b$04$abcdefghijklmnopqrstuuNQrW4HtpbvUPwWirnrwjC4bel4JAS1u',
  ],
  [
    'passlib, 100 bytes',
    DIGITS_100,
    '$2b$04$QdXqWrN2XlMo5ITocdHkyOHzYR4Quwq7TaAG6.1rN4FqE7DDmVdEy',
  ],
  [
    'passlib, cut inside a character',
    '🦊'.repeat(64),
    '$2b$04$edRfr.3cO5S3VuUuNEKwT.RvW6E4OOk4Ioq.kb/g.Caop0XK/lLY6',
  ],
  [
    'passlib, 90 bytes of Hangul',
    '비'.repeat(30),
    '$2b$04$8Bzq7P95Jpt4MbKF.aGnM.9wQOwlL6CQbpozxVLRFuK9VBvfbuemu',
  ],
  [
    'passlib bcrypt_sha256, 120 bytes',
    'pass'.repeat(30),
    '$bcrypt-sha256$v=2,t=2b,r=4$oorqRXZrLQN/dcPd.3d14e$dJ82WxHaItx8jDCfN20jGOTHwxFT7mO',
  ],
  [
    'passlib bcrypt_sha256',
    '비밀번호',
    '$bcrypt-sha256$v=2,t=2b,r=4$uj4IwvQwcWq1YZRsGqawQ.$XUKmoqi4vZzXSsk.HO1/drO7d8fuiai',
  ],
  [
    'argon2-cffi',
    'correct horse 9',
    '$argon2id$v=19$m=256,t=2,p=1$5ygZ7drqvZtoEX4ybvAT4Q$S2ac3PaZE/s9jqLs+m4pcA',
  ],
  [
    'argon2-cffi, four lanes',
    '비밀번호',
    '$argon2id$v=19$m=1024,t=1,p=4$D2ZCjIu2ylSvrVlU8ZPxuw$QLhK0pOGUSoPJNZM68znew',
  ],
];
/** Of `pa\u0308ssword`, as it was typed. */
const OF_NFD = '$2b$04$0Gn9L3psjnKn/PzkxmAVceXViYk.R1vKWqkU6OwmU5M0bLtL2txJK';

describe.each(['on', 'off'])('PasswordHasher, PASSWORD_NATIVE=%s', (native) => {
  const subject = fixture({ PASSWORD_NATIVE: native });

  it.each(VECTORS)('verifies what others made: %s', async (_name, password, stored) => {
    expect(await subject.matches(password, stored)).toBe(true);
    expect(await subject.matches(`x${password}`, stored)).toBe(false);
  });

  it('makes $2b$ of up to 72 bytes, and bcrypt-sha256 of more', async () => {
    expect(await subject.hash('b'.repeat(72))).toMatch(/^\$2b\$04\$.{53}$/);
    expect(await subject.hash('b'.repeat(73))).toMatch(
      /^\$bcrypt-sha256\$v=2,t=2b,r=4\$.{22}\$.{31}$/,
    );
    expect(await subject.hash('비'.repeat(24))).toMatch(/^\$2b\$/);
    expect(await subject.hash('비'.repeat(25))).toMatch(/^\$bcrypt-sha256\$/);
  });

  it('ignores no byte of a long password', async () => {
    const one = `${'x'.repeat(72)}${'a'.repeat(28)}`;
    const other = `${'x'.repeat(72)}${'b'.repeat(28)}`;
    const stored = await subject.hash(one);
    expect(await subject.matches(one, stored)).toBe(true);
    expect(await subject.matches(other, stored)).toBe(false);
    const foxes = await subject.hash('🦊'.repeat(64));
    expect(await subject.matches('🦊'.repeat(64), foxes)).toBe(true);
    expect(await subject.matches('🦊'.repeat(63), foxes)).toBe(false);
  });

  it('verifies what the other backend made', async () => {
    const other = fixture({ PASSWORD_NATIVE: native === 'on' ? 'off' : 'on' });
    for (const password of ['correct horse 9', '🦊'.repeat(64)]) {
      expect(await other.matches(password, await subject.hash(password))).toBe(true);
    }
  });

  it('verifies hashes with bits that stand for nothing, as passlib does', async () => {
    // The last characters of salt and digest have four and two bits too many.
    const stored = await subject.hash('correct horse 9');
    const odd = (hash: string, at: number): string =>
      hash.slice(0, at) +
      String.fromCharCode((hash[at] ?? '').charCodeAt(0) + 1) +
      hash.slice(at + 1);
    expect(await subject.matches('correct horse 9', odd(stored, 28))).toBe(true);
    expect(await subject.matches('correct horse 9', odd(stored, 59))).toBe(true);
    expect(await subject.matches('correct horse 8', odd(stored, 28))).toBe(false);
    const long = await subject.hash('b'.repeat(73));
    expect(await subject.matches('b'.repeat(73), odd(long, long.length - 33))).toBe(true);
  });

  it('takes a password in NFC, and an imported one as it was typed', async () => {
    const stored = await subject.hash('pa\u0308ssword');
    expect(await subject.verify('pässword', stored)).toMatchObject({
      matches: true,
      work: [expect.anything()],
    });
    expect(await subject.matches('pa\u0308ssword', stored)).toBe(true);
    expect(await subject.matches('pa\u0308ssword', OF_NFD)).toBe(true);
    expect(await subject.matches('pässword', OF_NFD)).toBe(false);
  });
});

describe('PasswordHasher', () => {
  const subject = fixture({ BCRYPT_COST: '5' });
  const usual = ['$2b$05$'];

  it.each([
    undefined,
    '',
    '!',
    'plain text',
    '$2b$05$short',
    `$2x$05$${'a'.repeat(53)}`,
    `$2b$03$${'a'.repeat(53)}`,
    `$2b$31$${'a'.repeat(53)}`,
    `$2b$05$${'a'.repeat(52)}!`,
    `$2b$05$${'a'.repeat(53)}\n`,
    `$bcrypt-sha256$v=1,t=2b,r=5$${'a'.repeat(22)}$${'a'.repeat(31)}`,
    `$bcrypt-sha256$v=2,t=2b,r=31$${'a'.repeat(22)}$${'a'.repeat(31)}`,
    '$argon2id$v=19$m=9999999,t=2,p=1$5ygZ7drqvZtoEX4ybvAT4Q$S2ac3PaZE/s9jqLs+m4pcA',
    '$argon2id$v=19$m=8,t=1,p=4$5ygZ7drqvZtoEX4ybvAT4Q$S2ac3PaZE/s9jqLs+m4pcA',
    '$argon2i$v=19$m=256,t=2,p=1$5ygZ7drqvZtoEX4ybvAT4Q$S2ac3PaZE/s9jqLs+m4pcA',
    '$argon2id$v=19$m=0256,t=2,p=1$5ygZ7drqvZtoEX4ybvAT4Q$S2ac3PaZE/s9jqLs+m4pcA',
    '$argon2id$v=19$m=256,t=2,p=1$5ygZ7drqvZtoEX4ybvAT4R$S2ac3PaZE/s9jqLs+m4pcA',
    '$argon2id$v=19$m=256,t=2,p=1$5ygZ7drqvZtoE$S2ac3PaZE/s9jqLs+m4pcA',
    '$argon2id$v=19$m=256,t=2,p=1$5ygZ7drqvZtoEX4ybvAT4Q$S2ac3PaZE/s9jqLs+m4pcB',
  ])('says no to %j after the usual work', async (stored) => {
    expect(await subject.verify('correct horse 9', stored)).toEqual({
      matches: false,
      work: usual,
    });
    expect(await subject.verify('pa\u0308ssword', stored)).toEqual({
      matches: false,
      work: [...usual, ...usual],
    });
  });

  it('has decoys like the hashes there are, always the same for a name', async () => {
    const census = new Map([
      ['$2b$04$', 250],
      ['$bcrypt-sha256$v=2,t=2b,r=5$', 250],
      ['$argon2id$v=19$m=256,t=2,p=1$', 500],
    ]);
    subject.hasher.setCensus(census);
    const found = new Map<string, number>();
    const first: string[] = [];
    for (let i = 0; i < 400; i += 1) {
      const { work, matches } = await subject.verify('x', undefined, `name ${String(i)}`);
      expect(matches).toBe(false);
      const [settings = ''] = work;
      found.set(settings, (found.get(settings) ?? 0) + 1);
      first.push(settings);
    }
    for (const [settings, count] of census) {
      // Five standard deviations around what is expected of 400 names, which are the same each time.
      expect(Math.abs((found.get(settings) ?? 0) - (400 * count) / 1000)).toBeLessThan(50);
    }
    for (const i of [0, 7, 399]) {
      const { work } = await subject.verify('x', undefined, `name ${String(i)}`);
      expect(work).toEqual([first[i]]);
    }
    subject.hasher.setCensus(new Map());
  });

  it('has no decoys like what is no hash', async () => {
    subject.hasher.setCensus(
      new Map([
        ['$2b$99$', 1000],
        ['$2b$03$', 1000],
        ['$argon2id$v=19$m=9999999,t=2,p=1$', 1000],
        ['nonsense', 1000],
      ]),
    );
    expect((await subject.verify('x', undefined)).work).toEqual(usual);
    subject.hasher.setCensus(new Map());
  });

  it('makes argon2id if asked to', async () => {
    const argon2id = fixture({ PASSWORD_SCHEME: 'argon2id' });
    const stored = await argon2id.hash('x'.repeat(100));
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await argon2id.matches('x'.repeat(100), stored)).toBe(true);
    expect(await argon2id.matches('x'.repeat(99), stored)).toBe(false);
    expect(await argon2id.verify('x', undefined)).toEqual({
      matches: false,
      work: ['$argon2id$v=19$m=19456,t=2,p=1$'],
    });
  });

  const B4 = `$2b$04$${'a'.repeat(53)}`;
  const B5 = `$2a$05$${'a'.repeat(53)}`;
  const B6 = `$2y$06$${'a'.repeat(53)}`;
  const S4 = `$bcrypt-sha256$v=2,t=2b,r=4$${'a'.repeat(22)}$${'a'.repeat(31)}`;
  const S5 = S4.replace('r=4', 'r=5');
  const WEAK = '$argon2id$v=19$m=256,t=2,p=1$5ygZ7drqvZtoEX4ybvAT4Q$S2ac3PaZE/s9jqLs+m4pcA';
  const STRONG = WEAK.replace('m=256', 'm=65536');
  it.each([
    ['bcrypt', B4, 'short', true],
    ['bcrypt', B5, 'short', false],
    ['bcrypt', B6, 'short', false],
    ['bcrypt', S4, 'short', true],
    ['bcrypt', S5, 'short', false],
    ['bcrypt', STRONG, 'short', true],
    ['bcrypt', B4, 'x'.repeat(72), true],
    ['bcrypt', B4, 'x'.repeat(73), false],
    ['bcrypt', S4, 'x'.repeat(73), true],
    ['argon2id', B6, 'short', true],
    ['argon2id', B6, 'x'.repeat(73), false],
    ['argon2id', S5, 'x'.repeat(73), true],
    ['argon2id', WEAK, 'short', true],
    ['argon2id', STRONG, 'short', false],
    ['bcrypt', '!', 'short', false],
  ])('%s: %s with %s needs a rehash: %s', (scheme, stored, password, expected) => {
    const { hasher } = fixture({ PASSWORD_SCHEME: scheme, BCRYPT_COST: '5' });
    expect(hasher.needsRehash(stored, password)).toBe(expected);
  });
});

describe('beside the FastAPI backend', () => {
  /** Decomposed, as some systems type it: passlib hashes it so. */
  const DECOMPOSED = 'cafe\u0301 du monde';
  const COMPOSED = DECOMPOSED.normalize('NFC');

  it('hashes a password as it was typed, by plain bcrypt', async () => {
    const coexisting = fixture({ COEXIST_WITH_FASTAPI: 'on' });
    const stored = await coexisting.hash(DECOMPOSED);
    expect(stored).toMatch(/^\$2b\$04\$.{53}$/);
    expect(bcryptjs.compareSync(DECOMPOSED, stored)).toBe(true);
    expect(bcryptjs.compareSync(COMPOSED, stored)).toBe(false);
    expect(await coexisting.matches(DECOMPOSED, stored)).toBe(true);
  });

  it('verifies what was typed, in NFC and raw', async () => {
    const coexisting = fixture({ COEXIST_WITH_FASTAPI: 'on' });
    const composed = await coexisting.hash(COMPOSED);
    expect(await coexisting.matches(DECOMPOSED, composed)).toBe(true);
    expect(await coexisting.matches(COMPOSED, composed)).toBe(true);
  });

  it('replaces no hash', () => {
    const cheap = '$2b$04$abcdefghijklmnopqrstuuNQrW4HtpbvUPwWirnrwjC4bel4JAS1u';
    expect(fixture({ BCRYPT_COST: '5' }).hasher.needsRehash(cheap, 'pw')).toBe(true);
    expect(
      fixture({ BCRYPT_COST: '5', COEXIST_WITH_FASTAPI: 'on' }).hasher.needsRehash(cheap, 'pw'),
    ).toBe(false);
  });
});
