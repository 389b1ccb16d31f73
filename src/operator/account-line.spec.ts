import { BadLine, readAccountLine, writeAccountLine } from './account-line';

const ACCOUNT = {
  username: 'hana',
  email: 'hana@example.com',
  password: 'a hash',
  emailVerifiedAt: new Date('2026-01-02T03:04:05.678Z'),
  disabledAt: null,
};

function read(line: object | string): ReturnType<typeof readAccountLine> {
  const text = typeof line === 'string' ? line : JSON.stringify(line);
  return readAccountLine(Buffer.from(text), {
    isVerifiable: (hash) => hash === 'a hash',
    isAffordable: () => true,
  });
}

describe('a line of an account', () => {
  it('is read as it was written', () => {
    expect(read(writeAccountLine({ id: 5, ...ACCOUNT }))).toEqual(ACCOUNT);
  });

  it('needs no more than name, address and hash, and keeps the address as a registration does', () => {
    expect(read({ username: 'pаypаl', email: 'H <h@EXAMPLE.com>', password: 'a hash' })).toEqual({
      username: 'pаypаl',
      email: 'h@example.com',
      password: 'a hash',
      emailVerifiedAt: null,
      disabledAt: null,
    });
  });

  it('is empty with white space alone', () => {
    for (const text of ['', ' \t\r', '\ufeff']) expect(read(text)).toBeUndefined();
  });

  it.each([
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04:05.123456+09:00', '2026-01-01T18:04:05.123Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ])('has times as %s', (text, time) => {
    const { username, email, password } = ACCOUNT;
    expect(read({ username, email, password, disabled_at: text })?.disabledAt?.toISOString()).toBe(
      time,
    );
  });

  it.each([
    '2026-01-02',
    '2026-01-02 03:04:05Z',
    '2026-01-02T03:04:05',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-02T25:00:00Z',
    '1969-12-31T00:00:00Z',
    '2999-01-01T00:00:00Z',
    'infinity',
    '',
    0,
    {},
  ])('has no times as %j', (time) => {
    const { username, email, password } = ACCOUNT;
    expect(() => read({ username, email, password, disabled_at: time })).toThrow(BadLine);
  });

  it('that is bad is told without what was in it', () => {
    const { username, email } = ACCOUNT;
    for (const line of [
      { username, email, password: 'hunter2' },
      { username, email: 'hunter2', password: 'a hash' },
      '{"password":"hunter2',
    ]) {
      const message = (() => {
        try {
          read(line);
        } catch (error) {
          return (error as BadLine).message;
        }
        return 'It was taken';
      })();
      expect(message).toMatch(/^(password|email|not JSON)/);
      expect(message).not.toContain('hunter2');
    }
  });
});
