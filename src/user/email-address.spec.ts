import { parseEmailAddress } from './email-address';

// What pydantic 1.10.4 with email-validator 1.3.0 makes of each.
describe('parseEmailAddress', () => {
  it.each([
    ['hana@example.com', 'hana@example.com'],
    ['Hana.Kim+tag@EXAMPLE.Com', 'Hana.Kim+tag@example.com'],
    ['  hana@example.com\n', 'hana@example.com'],
    ['Hana Kim <hana@Example.com>', 'hana@example.com'],
    ['김하나 <hana@example.com>  ', 'hana@example.com'],
    ['<hana@example.com>', 'hana@example.com'],
    ["!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"],
    ['하나@example.com', '하나@example.com'],
    ['hana@한국.kr', 'hana@한국.kr'],
    ['hana@BÜCHER.de', 'hana@bücher.de'],
    ['hana@xn--bcher-kva.de', 'hana@xn--bcher-kva.de'],
    ['hana@ｅｘａｍｐｌｅ。com', 'hana@ｅｘａｍｐｌｅ。com'],
    ['hana@col·laboratiu.cat', 'hana@col·laboratiu.cat'],
    ['hana@テスト・例.jp', 'hana@テスト・例.jp'],
    ['hana@example.example', 'hana@example.example'],
    ['hana@1.2.com', 'hana@1.2.com'],
    [`${'l'.repeat(64)}@example.com`, `${'l'.repeat(64)}@example.com`],
    [`a@${'d'.repeat(63)}.com`, `a@${'d'.repeat(63)}.com`],
  ])('takes %j', (text, kept) => {
    expect(parseEmailAddress(text)).toBe(kept);
    expect(parseEmailAddress(kept)).toBe(kept);
  });

  it.each([
    '',
    'nope',
    '@example.com',
    'hana@',
    'hana@example',
    'hana@@example.com',
    'ha na@example.com',
    'hana@exam ple.com',
    'hana@example..com',
    'hana@.example.com',
    'hana@example.com.',
    '.hana@example.com',
    'hana.@example.com',
    'ha..na@example.com',
    '"hana"@example.com',
    'hana(comment)@example.com',
    'hana@[127.0.0.1]',
    'hana@127.0.0.1',
    'hana@exam_ple.com',
    'hana@-example.com',
    'hana@example-.com',
    'hana@ex--ample.com',
    'hana@localhost',
    'hana@mail.localhost',
    'hana@example.test',
    'hana@example.invalid',
    'hana@printer.local',
    'hana@x.onion',
    'hana@1.168.192.in-addr.arpa',
    'ha\0na@example.com',
    'ha\u200bna@example.com',
    '\u0301hana@example.com',
    'hana@☕.com',
    'hana@ex·ample.com',
    'hana@\u0301example.com',
    'hana@xn--a.com',
    'Hana-Kim <hana@example.com>',
    'Hana <hana@example.com',
    'Hana <hana@example.com\n>',
    `${'l'.repeat(65)}@example.com`,
    `a@${'d'.repeat(64)}.com`,
    `a@${'d.'.repeat(126)}com`,
    `${'한'.repeat(64)}@${'d'.repeat(60)}.com`,
    `${' '.repeat(2048)}hana@example.com`,
  ])('refuses %j', (text) => {
    expect(parseEmailAddress(text)).toBeUndefined();
  });
});
