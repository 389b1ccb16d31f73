import { parseSettings, SettingsError } from './settings';
import { type SigningKeys, signingKeys } from './signing-keys';

const GOOD = 'what the tests sign with, long enough and known to all';

function keys(environment: Record<string, string>): SigningKeys {
  return signingKeys(
    parseSettings({ INSTANCE_HOST: 'db', DB_USER: 'u', DB_NAME: 'd', ...environment }),
  );
}

describe('signingKeys', () => {
  it('takes a key of 32 bytes, and a previous one of 16', () => {
    const { current, previous, warning } = keys({
      SECRET_KEY: GOOD.slice(0, 32),
      SECRET_KEY_PREVIOUS: 'sixteen bytes ok',
    });
    expect(current.export().toString()).toBe(GOOD.slice(0, 32));
    expect(previous?.export().toString()).toBe('sixteen bytes ok');
    expect(warning).toBeUndefined();
  });

  it("takes what openssl makes, and the reference's own keys", () => {
    for (const SECRET_KEY of [
      '6f1c0de4c1b7a9f0435d0f39d2a8be7c55e1e0b1f6c7d89e2a3b4c5d6e7f8091',
      'the-fastapi-backend-signed-with-this-key-0001',
      'Wm9vIGtlZXBlciBsaWtlcyB0byBkYW5jZSBhdCBuaWdodA==',
    ]) {
      expect(() => keys({ SECRET_KEY })).not.toThrow();
    }
  });

  it('counts bytes, not characters', () => {
    expect(() => keys({ SECRET_KEY: '비밀번호는열한글자예요' })).not.toThrow();
  });

  it.each([
    ['none', {}, 'SECRET_KEY is missing'],
    ['31 bytes', { SECRET_KEY: GOOD.slice(0, 31) }, 'SECRET_KEY must have at least 32 bytes'],
    [
      'a placeholder',
      { SECRET_KEY: 'changeme-or-else-0123456789-abcdef' },
      'SECRET_KEY must be a secret of your own',
    ],
    [
      'another',
      { SECRET_KEY: 'your_secret_key_goes_here_and_is_long' },
      'SECRET_KEY must be a secret of your own',
    ],
    [
      "jwt.io's",
      { SECRET_KEY: 'a-string-secret-at-least-256-bits-long' },
      'SECRET_KEY must be a secret of your own',
    ],
    [
      "FastAPI's tutorial",
      { SECRET_KEY: '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7' },
      'SECRET_KEY must be a secret of your own',
    ],
    ['one character', { SECRET_KEY: 'x'.repeat(64) }, 'SECRET_KEY must be a secret of your own'],
    [
      'a short previous one',
      { SECRET_KEY: GOOD, SECRET_KEY_PREVIOUS: 'fifteen bytes!!' },
      'SECRET_KEY_PREVIOUS must have at least 16 bytes',
    ],
  ])('refuses %s, without repeating it', (_name, environment: Record<string, string>, problem) => {
    let error: unknown;
    try {
      keys(environment);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SettingsError);
    expect((error as SettingsError).message).toContain(problem);
    for (const value of Object.values(environment)) {
      if (value !== GOOD) expect((error as SettingsError).message).not.toContain(value);
    }
  });

  it('takes over a weak key that is known to be weak, and warns', () => {
    const { current, warning } = keys({ SECRET_KEY: 'short', ALLOW_WEAK_SECRET_KEY: 'true' });
    expect(current.export().toString()).toBe('short');
    expect(warning).toMatch(/^SECRET_KEY must have at least 32 bytes: anyone who guesses it/);
  });
});
