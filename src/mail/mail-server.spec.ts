import { hasSecretForNetwork } from './mail-server';

describe('hasSecretForNetwork', () => {
  it.each([
    'smtp://user:word@mail.example.com',
    'smtp://user:word@10.0.0.5:587',
    'smtp://user:word@localhost.example.com',
  ])('holds for %s: TLS is asked for', (url) => {
    expect(hasSecretForNetwork(url)).toBe(true);
  });

  it.each([
    '',
    'smtp://mail.example.com',
    'smtp://user:word@localhost:25',
    'smtp://user:word@127.0.0.1:2525',
    'smtp://user:word@[::1]:2525',
  ])('does not hold for %s', (url) => {
    expect(hasSecretForNetwork(url)).toBe(false);
  });
});
