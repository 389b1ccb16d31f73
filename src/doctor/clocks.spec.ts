import { offsetFinding } from './clocks';

describe('offsetFinding', () => {
  it.each([
    [4.9, 'ok', 'The clocks of the server and of this machine agree'],
    [-6, 'advice', 'The clock of the server is 6 s behind that of this machine'],
    [31, 'problem', 'The clock of the server is 31 s ahead of that of this machine'],
  ])('says of %i s: %s', (seconds, status, found) => {
    expect(offsetFinding(seconds, 'the server')).toMatchObject({ status, found });
  });
});
