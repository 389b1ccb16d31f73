import type { Locator } from '@playwright/test';
import { expect, PASSWORD, test } from './support';

const NEXT = 'battery staple 8';

test('sign up, reload, log out, log in', async ({ person }) => {
  const { page, words, name } = person;
  await page.goto('/');
  await expect(page).toHaveURL('/login');
  await person.isAccessible();
  await page.getByRole('link', { name: words.signUp }).click();
  await person.isAccessible();
  await person.signUp();
  await expect(page).toHaveURL('/');
  await expect(page.getByText(`${name}@example.com`)).toBeVisible();
  await person.isAccessible();
  await page.reload();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(words.hello(name));
  await person.button(words.logOut).click();
  await expect(page).toHaveURL('/login');
  await page.goto('/');
  await expect(page).toHaveURL('/login');
  await person.logIn();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(words.hello(name));
});

test('what is wrong is told where it is wrong', async ({ person }) => {
  const { page, words, name, field } = person;
  await person.signUp();
  await person.button(words.logOut).click();
  await expect(page).toHaveURL('/login');
  await person.logIn('wrong');
  await expect(page.getByRole('alert')).toHaveText(words.wrong);
  await person.isAccessible();

  await page.goto('/signup');
  await field(words.username).fill('someone');
  await field(words.email).fill('nothing');
  await field(words.password).fill('short');
  await field(words.repeat).fill('other');
  await person.button(words.signUp).click();
  await expect(page.getByText(words.mismatch)).toBeVisible();
  await field(words.repeat).fill('short');
  await person.button(words.signUp).click();
  await expect(field(words.password)).toHaveAccessibleDescription(new RegExp(words.short));
  await expect(field(words.email)).toHaveAccessibleDescription(words.notEmail);
  await expect(field(words.email)).toBeFocused();
  await person.isAccessible();
  await field(words.username).fill(name);
  await field(words.email).fill(`other-${name}@example.com`);
  await field(words.password).fill(PASSWORD);
  await field(words.repeat).fill(PASSWORD);
  await person.button(words.signUp).click();
  await expect(page.getByRole('alert')).toHaveText(words.taken);
});

test('a password can be shown, and its strength is told', async ({ person }) => {
  const { page, words, field } = person;
  await page.goto('/signup');
  await field(words.password).fill('password');
  await expect(page.getByText(words.weak)).toBeVisible();
  await field(words.password).fill('violet lamp 93 river');
  await expect(page.getByText(words.strong)).toBeVisible();
  await expect(field(words.password)).toHaveAttribute('type', 'password');
  await person.button(words.show).first().click();
  await expect(field(words.password)).toHaveAttribute('type', 'text');
  await person.isAccessible();
});

test('a second browser ends the first one', async ({ person, elsewhere }) => {
  const { page, words } = person;
  await person.signUp();
  await elsewhere.logIn();
  await elsewhere.button(words.endSession).click();
  await expect(elsewhere.page.getByText(words.nobodyElse)).toBeVisible();
  // Nobody touches the first one: it notices by itself.
  await expect(page).toHaveURL('/login');
  await expect(page.getByText(words.ended)).toBeVisible();
});

test('change the password: others are out', async ({ person, elsewhere }) => {
  const { page, words, field } = person;
  await person.signUp();
  await elsewhere.logIn();
  await expect(elsewhere.page).toHaveURL('/');
  await person.button(words.changePassword).click();
  await field(words.current).fill('wrong');
  await field(words.next).fill(NEXT);
  await field(words.repeat).fill(NEXT);
  await person.isAccessible();
  await person.button(words.save).click();
  await expect(field(words.current)).toHaveAccessibleDescription(words.wrongField);
  await field(words.current).fill(PASSWORD);
  await person.button(words.save).click();
  await expect(page.getByText(words.passwordChanged)).toBeVisible();
  await elsewhere.page.reload();
  await expect(elsewhere.page).toHaveURL('/login');
  await elsewhere.logIn();
  await expect(elsewhere.page.getByRole('alert')).toHaveText(words.wrong);
  await elsewhere.logIn(NEXT);
  await expect(elsewhere.page).toHaveURL('/');
});

test('change the name', async ({ person }) => {
  const { page, words, name, field } = person;
  await person.signUp();
  await person.button(words.changeName).click();
  await expect(field(words.newName)).toHaveValue(name);
  await field(words.newName).fill(`${name}2`);
  await person.isAccessible();
  await person.button(words.save).click();
  await expect(page.getByText(words.nameChanged)).toBeVisible();
  await person.isAccessible();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(words.hello(`${name}2`));
  await page.reload();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(words.hello(`${name}2`));
});

test('a page whose files are gone says so, and does not stay white', async ({ person }) => {
  const { page, words, field } = person;
  await page.route('**/assets/home-*.js', (route) => route.abort());
  await page.goto('/signup');
  await field(words.username).fill(person.name);
  await field(words.email).fill(`${person.name}@example.com`);
  await field(words.password).fill(PASSWORD);
  await field(words.repeat).fill(PASSWORD);
  await person.button(words.signUp).click();
  await expect(person.button(words.tryAgain)).toBeVisible();
  await page.unroute('**/assets/home-*.js');
  await person.button(words.tryAgain).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(words.hello(person.name));
});

test('end all others', async ({ person, elsewhere }) => {
  const { page, words } = person;
  await person.signUp();
  await elsewhere.logIn();
  await expect(elsewhere.page).toHaveURL('/');
  await page.reload();
  await person.button(words.endOthers).click();
  await expect(page.getByText(words.nobodyElse)).toBeVisible();
  await elsewhere.page.reload();
  await expect(elsewhere.page).toHaveURL('/login');
});

test('delete the account', async ({ person }) => {
  const { page, words, field } = person;
  await person.signUp();
  await person.button(words.deleteAccount).click();
  const dialog = page.getByRole('dialog');
  await field(words.password).fill(PASSWORD);
  await person.isAccessible();
  await dialog.getByRole('button', { name: words.deleteAccount }).click();
  await expect(page).toHaveURL('/login');
  await expect(page.getByText(words.deleted)).toBeVisible();
  await person.logIn();
  await expect(page.getByRole('alert')).toHaveText(words.wrong);
});

test('all of it by keyboard alone', async ({ person }) => {
  const { page, words, name } = person;
  await page.goto('/signup');
  await page.keyboard.press('Tab');
  await expect(page.locator('.skip-link')).toBeFocused();
  for (const [label, value] of [
    [words.username, name],
    [words.email, `${name}@example.com`],
    [words.password, PASSWORD],
    [words.repeat, PASSWORD],
  ] as const) {
    await person.tabTo(person.field(label));
    await page.keyboard.type(value);
  }
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(words.hello(name));
  await person.tabTo(person.button(words.changeName));
  await page.keyboard.press('Enter');
  await expect(person.field(words.newName)).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(person.button(words.changeName)).toBeFocused();
});

test('the keyboard is never thrown back to the start', async ({ person }) => {
  const { page, words, name } = person;
  await person.signUp();
  await person.logInElsewhere(3);
  await page.reload();
  const rows = page.getByRole('listitem');
  await expect(rows).toHaveCount(4);
  let answer: () => void = () => undefined;
  await page.route(/\/api\/user\/session/, async (route) => {
    if (route.request().method() === 'DELETE') {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
    }
    await route.continue();
  });

  // One row goes: on with the next.
  const ends = person.button(words.endSession);
  const second = await rows.nth(1).elementHandle();
  await person.tabTo(ends.first());
  await page.keyboard.press('Enter');
  const working = person.button(words.working);
  await expect(working).toBeFocused();
  await expect(working).toHaveAttribute('aria-busy', 'true');
  await person.isAccessible();
  await page.keyboard.press('Enter');
  answer();
  await expect(rows).toHaveCount(3);
  expect(await second.evaluate((row) => row === document.activeElement)).toBe(true);

  // The button goes with the last of the others: on at the top of the list.
  await person.tabTo(person.button(words.endOthers));
  await page.keyboard.press('Space');
  await expect(working).toBeFocused();
  answer();
  await expect(rows).toHaveCount(1);
  await expect(page.getByRole('heading', { name: words.sessions })).toBeFocused();

  // A dialog that is refused, and one that is done.
  await person.tabTo(person.button(words.changeName));
  await page.keyboard.press('Enter');
  await expect(person.field(words.newName)).toBeFocused();
  await page.keyboard.type('2');
  await page.route('**/api/user/me', async (route) => {
    if (route.request().method() !== 'PATCH') return route.continue();
    return route.fulfill({ status: 409, json: { detail: 'Taken.' } });
  });
  await person.tabTo(person.button(words.save));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog').getByRole('alert')).toHaveText(words.nameTaken);
  await expect(person.button(words.save)).toBeFocused();
  await page.unroute('**/api/user/me');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).not.toHaveText(words.hello(name));
  await expect(person.button(words.changeName)).toBeFocused();

  // Out, to the page that one is then on.
  await person.tabTo(person.button(words.logOut));
  await page.keyboard.press('Enter');
  await expect(working).toBeFocused();
  answer();
  await expect(page).toHaveURL('/login');
  await expect(page.getByRole('main')).toBeFocused();
});

test('more logins than there is room for are on pages', async ({ person }) => {
  const { page, words } = person;
  await person.signUp();
  await person.logInElsewhere(7);
  await page.reload();
  const rows = page.getByRole('listitem');
  await expect(rows).toHaveCount(6);
  const names = await person
    .button(words.endSession)
    .evaluateAll((buttons) => buttons.map((button) => button.getAttribute('aria-label')));
  expect(new Set(names).size).toBe(6);
  await person.isAccessible();
  await person.button(words.nextPage).click();
  await expect(rows).toHaveCount(2);
  await expect(person.button('2')).toHaveAttribute('aria-current', 'page');
  await person.isAccessible();
  await person.button(words.endSession).click();
  await expect(rows).toHaveCount(1);
  // Then there is no second page any more, and what is left is on the first.
  await person.button(words.endOthers).click();
  await expect(page.getByText(words.nobodyElse)).toBeVisible();
  await expect(rows).toHaveCount(1);
  await expect(person.button('1')).toBeHidden();
});

test('other tabs say what became of the login', async ({ person }) => {
  const { page, words, field } = person;
  await person.signUp();
  const tab = await page.context().newPage();
  await tab.goto('/');
  await expect(tab.getByRole('heading', { level: 1 })).toHaveText(words.hello(person.name));
  await person.button(words.logOut).click();
  await expect(tab).toHaveURL('/login');
  await expect(tab.getByText(words.loggedOut)).toBeVisible();
  await person.logIn();
  await expect(tab.getByRole('heading', { level: 1 })).toHaveText(words.hello(person.name));
  await person.button(words.deleteAccount).click();
  await field(words.password).fill(PASSWORD);
  await page.getByRole('dialog').getByRole('button', { name: words.deleteAccount }).click();
  await expect(tab).toHaveURL('/login');
  await expect(tab.getByText(words.deleted)).toBeVisible();
});

test('speaks the language of the browser, and the other one', async ({ person }) => {
  const { page, words } = person;
  await page.goto('/login');
  const first = await page.getByRole('heading', { level: 1 }).textContent();
  await person.button(words.other).click();
  await expect(page.getByRole('heading', { level: 1 })).not.toHaveText(first ?? '');
  await expect(page.locator('html')).toHaveAttribute(
    'lang',
    words.other === 'English' ? 'en' : 'ko',
  );
  await page.reload();
  await expect(page.getByRole('heading', { level: 1 })).not.toHaveText(first ?? '');
  await person.isAccessible();
});

test('is light, dark or as the system is, and as accessible', async ({ person }) => {
  const { page, words } = person;
  await person.signUp();
  const html = page.locator('html');
  const choice = (name: string): Locator => page.getByRole('radio', { name });
  const isDrawn = (scheme: string): Promise<void> =>
    expect(html).toHaveAttribute('data-mantine-color-scheme', scheme);
  await expect(choice(words.system)).toBeChecked();
  await choice(words.system).focus();
  for (const [name, scheme] of [
    [words.light, 'light'],
    [words.dark, 'dark'],
  ] as const) {
    await page.keyboard.press('ArrowRight');
    await expect(choice(name)).toBeChecked();
    await isDrawn(scheme);
    await person.isAccessible();
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.reload();
  await isDrawn('dark');
  await page.locator('label', { hasText: words.system }).click();
  await isDrawn('light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await isDrawn('dark');
});

test('says so when nobody answers, and when it is too much', async ({ person }) => {
  const { page, words } = person;
  await page.goto('/login');
  await page.route('**/api/user/session', (route) => route.abort());
  await person.field(words.username).fill('x');
  await person.field(words.password).fill('x');
  await person.button(words.logIn).click();
  await expect(page.getByRole('alert')).toHaveText(words.offline);
  await page.unroute('**/api/user/session');
  // Also when the browser itself knows, which must not send it later.
  await person.context.setOffline(true);
  await person.button(words.logIn).click();
  await expect(page.getByRole('alert')).toHaveText(words.offline);
  await person.context.setOffline(false);
  await page.route('**/api/user/session', (route) =>
    route.fulfill({
      status: 503,
      headers: { 'Retry-After': '3', 'Content-Type': 'application/json' },
      body: JSON.stringify({ detail: 'Overloaded' }),
    }),
  );
  await person.button(words.logIn).click();
  await expect(page.getByRole('alert')).toHaveText(words.overloaded);
});

test('no script can read the login, and nothing is kept where one could', async ({ person }) => {
  const { page, context } = person;
  await person.signUp();
  const [cookie] = await context.cookies();
  expect(cookie).toMatchObject({ name: 'session', httpOnly: true, sameSite: 'Strict' });
  const readable = await page.evaluate(() =>
    [document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage)].join('\n'),
  );
  expect(readable).not.toContain(cookie?.value.split('.')[2]);
  expect(readable).not.toContain('eyJ');
});

test('there is a page for what is not there', async ({ person }) => {
  const { page, words } = person;
  await page.goto('/nowhere');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(words.notFound);
  await person.isAccessible();
});

test('the width of a small phone is enough for every page and dialog', async ({ person }) => {
  const { page, words, field, button } = person;
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto('/nowhere');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(words.notFound);
  await person.fits();
  await person.logIn();
  await expect(page.getByRole('alert')).toHaveText(words.wrong);
  await person.fits();
  await page.goto('/signup');
  await button(words.signUp).click();
  await field(words.password).fill('password');
  await expect(page.getByText(words.weak)).toBeVisible();
  await person.fits();
  await person.signUp();
  await person.logInElsewhere(7);
  await page.reload();
  await expect(page.getByRole('listitem')).toHaveCount(6);
  await person.fits();
  const dialogs = [words.changeName, words.changeEmail, words.changePassword, words.deleteAccount];
  for (const name of dialogs) {
    await button(name).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toBeVisible();
    await dialog.locator('input:visible').first().fill('');
    await dialog.getByRole('button').last().click();
    await expect(dialog.locator('[aria-invalid=true]').first()).toBeVisible();
    await person.fits();
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
  }
  // The longest name that there can be, in one word; and while it works.
  await button(words.changeName).click();
  await field(words.newName).fill(person.name.padEnd(150, 'W'));
  await button(words.save).click();
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.route('**/api/user/session', () => undefined);
  await button(words.logOut).click();
  await expect(button(words.working)).toBeVisible();
  await person.fits();
});

test('the documentation is shown within what a page may do', async ({ person: { page } }) => {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto('/api/docs');
  await expect(page.getByText('/user/login', { exact: true })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Authorize' })).toBeVisible();
  expect(complaints).toEqual([]);
});
