import { offsetFinding } from './clocks';

describe('offsetFinding', () => {
  it.each([
    [4.9, 'ok', 'The clock of this machine and that of the server agree'],
    [-6, 'advice', 'That of the server is 6 s behind the clock of this machine'],
    [31, 'problem', 'That of the server is 31 s ahead of the clock of this machine'],
  ])('says of %i s: %s', (seconds, status, found) => {
    expect(offsetFinding(seconds, 'that of the server')).toMatchObject({ status, found });
  });
});
