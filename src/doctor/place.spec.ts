import { hostOf, reachOf } from './place';

describe('reachOf', () => {
  it.each([
    ['http://localhost:8000', 'machine'],
    ['http://127.0.0.2', 'machine'],
    ['http://[::1]', 'machine'],
    ['http://10.0.0.1', 'private'],
    ['http://[fd00::1]', 'private'],
    ['http://192.0.2.1', 'public'],
    ['https://accounts.example.com', 'public'],
  ])('says of %s: %s', (url, expected) => {
    expect(reachOf(hostOf(new URL(url)))).toBe(expected);
  });
});
