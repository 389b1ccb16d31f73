import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  type BrowserContext,
  expect,
  type Locator,
  type Page,
  request,
  test as base,
} from '@playwright/test';
import type axe from 'axe-core';

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const PASSWORD = 'correct horse 9';

/** What the page says, in the language that the browser wishes for. */
const WORDS = {
  ko: {
    signUp: '회원 가입',
    logIn: '로그인',
    logOut: '로그아웃',
    username: '사용자 이름',
    email: '이메일',
    password: '비밀번호',
    current: '현재 비밀번호',
    next: '새 비밀번호',
    repeat: '비밀번호 확인',
    changePassword: '비밀번호 변경',
    changeName: '이름 변경',
    newName: '새 사용자 이름',
    save: '저장',
    hello: (name: string) => `${name}님, 안녕하세요`,
    wrong:
      '사용자 이름 또는 비밀번호가 올바르지 않습니다. 철자, 대소문자, 한/영 상태를 확인하세요.',
    wrongField: '비밀번호가 올바르지 않습니다. 대소문자와 한/영 상태를 확인하세요.',
    taken:
      '이미 사용 중인 사용자 이름 또는 이메일입니다. 내 계정이면 로그인하고, 아니면 다른 것을 입력하세요.',
    nameTaken: '이미 사용 중인 사용자 이름입니다. 다른 이름을 입력하세요.',
    short: '8자 이상 입력하세요.',
    mismatch: '비밀번호가 일치하지 않습니다.',
    notEmail: '올바른 이메일 주소가 아닙니다. name@example.com과 같은 형식으로 입력하세요.',
    ended: '다른 곳에서 로그아웃되었거나 로그인이 만료되었습니다. 다시 로그인하세요.',
    endSession: /로그아웃시키기$/,
    endOthers: '다른 기기 모두 로그아웃',
    nobodyElse: '다른 기기에는 로그인되어 있지 않습니다.',
    passwordChanged: '비밀번호를 바꿨습니다. 다른 기기에서는 모두 로그아웃되었습니다.',
    nameChanged: '이름을 바꿨습니다.',
    deleteAccount: '계정 삭제',
    deleted: '계정을 삭제했습니다.',
    strong: '비밀번호 강도: 매우 강함',
    weak: '비밀번호 강도: 매우 약함',
    show: '비밀번호 표시',
    offline: '서비스에 연결할 수 없습니다. 인터넷 연결을 확인하고 다시 시도하세요.',
    overloaded: '지금은 서비스가 바쁩니다. 3초 후에 다시 시도하세요.',
    working: '처리 중…',
    nextPage: '다음',
    system: '시스템',
    light: '밝게',
    dark: '어둡게',
    loggedOut: '로그아웃했습니다.',
    sessions: '로그인된 기기',
    other: 'English',
    notFound: '찾을 수 없는 페이지입니다',
    forgot: '비밀번호를 잊으셨나요?',
    sendMail: '메일 보내기',
    lookIntoMail: '메일을 확인하세요',
    code: '메일에 적힌 코드',
    badCode: /^코드가 올바르지 않거나/,
    badLink: '이미 사용했거나 기간이 지난 링크입니다.',
    sendAgain: '메일 다시 보내기',
    askedAgain: '메일을 다시 요청했습니다.',
    askAnother: '메일 다시 요청하기',
    choosePassword: '새 비밀번호 정하기',
    resetDone: '비밀번호를 바꿨습니다',
    verify: '이메일 주소 확인',
    confirmAddress: '이 주소 확인하기',
    confirmWithout: '비밀번호 없이 확인하기',
    verifyDone: '주소가 확인되었습니다',
    confirm: '확인하기',
    confirmed: '확인됨',
    notConfirmed: '확인되지 않음',
    changeEmail: '이메일 변경',
    newEmail: '새 이메일',
    emailTaken: '이미 사용 중인 이메일입니다. 다른 주소를 입력하세요.',
    emailChanged: '이메일 주소를 바꿨습니다.',
    revert: '이 주소 유지하기',
    stopChange: '이메일 변경 막기',
    revertDone: '계정의 주소를 지켰습니다',
    unconfirmed: /^이메일 주소를 확인해야 로그인할 수 있습니다/,
    mailAgain: '확인 메일 다시 받기',
    home: '처음으로',
    tryAgain: '다시 시도',
  },
  en: {
    signUp: 'Sign up',
    logIn: 'Log in',
    logOut: 'Log out',
    username: 'Username',
    email: 'Email',
    password: 'Password',
    current: 'Current password',
    next: 'New password',
    repeat: 'Repeat the password',
    changePassword: 'Change password',
    changeName: 'Change name',
    newName: 'New username',
    save: 'Save',
    hello: (name: string) => `Hello, ${name}`,
    wrong:
      'The username or the password is not right. Check the spelling, capital letters and the language of the keyboard.',
    wrongField:
      'This is not your password. Check capital letters and the language of the keyboard.',
    taken:
      'This username or email address is taken. If the account is yours, log in; if not, enter another.',
    nameTaken: 'This username is taken. Enter another one.',
    short: 'Use at least 8 characters.',
    mismatch: 'The passwords do not match.',
    notEmail: 'This is not an email address. One looks like name@example.com.',
    ended: 'Your login was ended elsewhere, or has expired. Log in again.',
    endSession: /^End login \d/,
    endOthers: 'End all others',
    nobodyElse: 'You are logged in nowhere else.',
    passwordChanged: 'Your password has been changed. You are logged out everywhere else.',
    nameChanged: 'Your name has been changed.',
    deleteAccount: 'Delete account',
    deleted: 'Your account has been deleted.',
    strong: 'Password strength: very strong',
    weak: 'Password strength: very weak',
    show: 'Show the password',
    offline: 'The service cannot be reached. Check your connection and try again.',
    overloaded: 'The service is busy right now. Try again in 3 seconds.',
    working: 'Working…',
    nextPage: 'Next',
    system: 'System',
    light: 'Light',
    dark: 'Dark',
    loggedOut: 'You have logged out.',
    sessions: 'Where you are logged in',
    other: '한국어',
    notFound: 'There is no such page',
    forgot: 'Forgot your password?',
    sendMail: 'Send the mail',
    lookIntoMail: 'Look into your mail',
    code: 'Code from the mail',
    badCode: /^This code is not right/,
    badLink: 'This link was used already, or is too old.',
    sendAgain: 'Send the mail again',
    askedAgain: 'The mail has been asked for again.',
    askAnother: 'Ask for another mail',
    choosePassword: 'Choose a new password',
    resetDone: 'Your password has been changed',
    verify: 'Confirm your address',
    confirmAddress: 'Confirm this address',
    confirmWithout: 'Confirm without a password',
    verifyDone: 'The address is confirmed',
    confirm: 'Confirm',
    confirmed: 'confirmed',
    notConfirmed: 'not confirmed yet',
    changeEmail: 'Change address',
    newEmail: 'New address',
    emailTaken: 'This address is taken. Enter another one.',
    emailChanged: 'Your address has been changed.',
    revert: 'Keep my address',
    stopChange: 'Stop the change of address',
    revertDone: 'Your address is as it was',
    unconfirmed: /^Your address has to be confirmed before you can log in/,
    mailAgain: 'Send me the mail again',
    home: 'Back to the start',
    tryAgain: 'Try again',
  },
};

type Words = (typeof WORDS)['ko'] | (typeof WORDS)['en'];

/** Somebody with a browser. */
export interface Person {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly words: Words;
  readonly name: string;
  readonly address: string;
  readonly field: (label: string) => Locator;
  readonly button: (name: string | RegExp) => Locator;
  signUp(): Promise<void>;
  logIn(password?: string): Promise<void>;
  /** Logs in that many times with programs that are no browsers, and is done with them. */
  logInElsewhere(times: number): Promise<void>;
  /** Is on the page of that name. */
  isAt(title: string): Promise<void>;
  /** The newest mail to an address with a link to that path, once it is there and is not this one. */
  mail(to: string, path: string, not?: Mail): Promise<Mail>;
  /** Goes there by keyboard alone. */
  tabTo(wanted: Locator): Promise<void>;
  /** Looks at the page as axe does: nothing may be wrong with it for those who cannot see it so. */
  isAccessible(): Promise<void>;
  /** Looks whether all of the page is within its width. */
  fits(): Promise<void>;
}

/** What a mail has brought. */
export interface Mail {
  /** Its link, from the host on: the service does not know by which port it is reached. */
  readonly link: string;
  readonly code: string;
}

function personWith(page: Page, locale: string, name: string): Person {
  const words = locale.startsWith('ko') ? WORDS.ko : WORDS.en;
  const field = (label: string): Locator =>
    page
      .getByRole('textbox', { name: label, exact: true })
      .or(
        // A password is no textbox to the browser.
        page.locator(`xpath=//label[normalize-space(text())='${label}']/following::input[1]`),
      )
      .first();
  const button = (called: string | RegExp): Locator =>
    page.getByRole('button', { name: called, exact: typeof called === 'string' });
  const person: Person = {
    page,
    context: page.context(),
    words,
    name,
    address: `${name}@example.com`,
    field,
    button,
    async signUp() {
      await page.goto('/signup');
      await field(words.username).fill(name);
      await field(words.email).fill(person.address);
      await field(words.password).fill(PASSWORD);
      await field(words.repeat).fill(PASSWORD);
      await button(words.signUp).click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(words.hello(name));
    },
    async logIn(password = PASSWORD) {
      await page.goto('/login');
      await field(words.username).fill(name);
      await field(words.password).fill(password);
      await button(words.logIn).click();
    },
    async logInElsewhere(times) {
      // The cookie of the browser stays what it is.
      const program = await request.newContext({ baseURL: new URL(page.url()).origin });
      for (let i = 0; i < times; i += 1) {
        const answer = await program.post('/api/user/session', {
          headers: { 'Sec-Fetch-Site': 'same-origin' },
          form: { username: name, password: PASSWORD },
        });
        expect(answer.status()).toBe(204);
      }
      await program.dispose();
    },
    isAt: (title) => expect(page.getByRole('heading', { level: 1 })).toHaveText(title),
    async mail(to, path, not) {
      const link = new RegExp(`${path}#[\\w-]{43}`);
      let found: Mail | undefined;
      await expect(async () => {
        const html = await (await page.request.get('/api/mailbox')).text();
        // The newest is the first.
        const mail = html
          .split('<article>')
          .find((article) => article.includes(`To ${to},`) && link.test(article));
        found =
          mail === undefined
            ? undefined
            : {
                link: link.exec(mail)?.[0] ?? '',
                code: /\b\d{4} ?\d{4}\b/.exec(mail.replace(/<h2>.*?<pre>/s, ''))?.[0] ?? '',
              };
        expect(found?.link).toBeTruthy();
        expect(found?.link).not.toBe(not?.link);
      }).toPass();
      if (found === undefined) throw new Error('There is no such mail');
      return found;
    },
    async tabTo(wanted) {
      for (let i = 0; i < 40; i += 1) {
        if (await wanted.evaluate((element) => element === document.activeElement)) return;
        await page.keyboard.press('Tab');
      }
      throw new Error('The keyboard does not get there');
    },
    async isAccessible() {
      // Colours are looked at when nothing moves any more.
      await page.waitForFunction(() =>
        document
          .getAnimations()
          // But for what turns as long as it works.
          .filter(({ effect }) => effect?.getComputedTiming().iterations !== Infinity)
          .every(({ playState }) => playState !== 'running'),
      );
      // Given to the page by the debugger, past its Content-Security-Policy.
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(async () =>
        (globalThis as unknown as { axe: typeof axe }).axe.run(),
      );
      expect(
        violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 120))]),
      ).toEqual([]);
    },
    async fits() {
      const wide = await page.evaluate(() =>
        [...document.querySelectorAll('html, body *')]
          .filter((element) => {
            const { left, right } = element.getBoundingClientRect();
            // What is there for screen readers only is as small as can be, wherever it is.
            return right > window.innerWidth + 0.5 || (left < -0.5 && right > 0);
          })
          .map((element) => element.outerHTML.slice(0, 120)),
      );
      expect(wide).toEqual([]);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).toBe(0);
    },
  };
  return person;
}

/** A test with somebody in it, and somebody's second browser. */
export const test = base.extend<{ person: Person; elsewhere: Person }>({
  person: async ({ page, locale }, use) => {
    await use(personWith(page, locale ?? 'en', `p${randomBytes(5).toString('hex')}`));
  },
  elsewhere: async ({ browser, person, locale, viewport }, use) => {
    const context = await browser.newContext({ ...(locale && { locale }), viewport });
    await use(personWith(await context.newPage(), locale ?? 'en', person.name));
    await context.close();
  },
});

export { expect };
