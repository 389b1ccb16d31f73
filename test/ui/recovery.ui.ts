import { expect, PASSWORD, type Person, test } from './support';

const NEXT = 'battery staple 8';

/** Whatever of a token a later look at this browser would find. */
async function keepsNothingOf({ page }: Person, link: string): Promise<void> {
  const token = link.split('#')[1] ?? '';
  expect(token).not.toBe('');
  const kept = await page.evaluate(() =>
    [location.href, document.cookie]
      .concat([localStorage, sessionStorage, history.state].map((kept) => JSON.stringify(kept)))
      .join(),
  );
  expect(kept).not.toContain(token);
}

/** Chooses another password on the page that is open. */
async function choosePassword({ field, button, words }: Person): Promise<void> {
  await field(words.next).fill(NEXT);
  await field(words.repeat).fill(NEXT);
  await button(words.changePassword).click();
}

/** Asks for a mail to reset the password, from the page to log in on. */
async function forget(person: Person): Promise<void> {
  const { page, words, field, button, address } = person;
  await page.goto('/login');
  await page.getByRole('link', { name: words.forgot }).click();
  await field(words.email).fill(address);
  await button(words.sendMail).click();
  await person.isAt(words.lookIntoMail);
}

test('forgotten: the mail, its link, another password', async ({ person, elsewhere }) => {
  const { page, words, address } = person;
  await person.signUp();
  await person.button(words.logOut).click();
  await elsewhere.logIn();
  await elsewhere.isAt(words.hello(person.name));
  await forget(person);
  await person.isAccessible();
  await person.fits();
  const { link } = await person.mail(address, '/reset-password');

  // Scanners of mail open links, some in a browser of their own: that uses nothing up.
  for (let i = 0; i < 2; i += 1) {
    const answer = await page.request.get(link, { headers: { accept: 'text/html' } });
    expect(answer.status()).toBe(200);
    const scanner = await person.context.newPage();
    await scanner.goto(link);
    await expect(scanner.getByRole('button', { name: words.changePassword })).toBeVisible();
    await scanner.close();
  }
  await page.goto(link);
  await person.isAt(words.choosePassword);
  await expect(page).toHaveURL('/reset-password');
  await keepsNothingOf(person, link);
  await person.isAccessible();
  await person.fits();
  // The way past the header is a link with an end too, and brings no other token.
  await person.field(words.next).fill('half');
  await page.locator('.skip-link').focus();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/reset-password#content');
  await expect(person.field(words.next)).toHaveValue('half');
  await choosePassword(person);
  await person.isAt(words.resetDone);
  await expect(page.getByRole('main')).toBeFocused();
  await person.isAccessible();
  await person.fits();
  // Whoever was in before is not any more.
  await expect(elsewhere.page).toHaveURL('/login');

  await page.getByRole('link', { name: words.logIn }).click();
  await person.logIn();
  await expect(page.getByRole('alert')).toHaveText(words.wrong);
  await person.logIn(NEXT);
  await person.isAt(words.hello(person.name));
  // The mail has shown whose the address is.
  await expect(page.getByText(words.confirmed, { exact: true })).toBeVisible();

  // Nor does the way back show the token, and it is good once.
  await page.goBack();
  await page.goBack();
  await keepsNothingOf(person, link);
  await page.goto(link);
  await choosePassword(person);
  await expect(page.getByRole('alert')).toHaveText(words.badLink);
  await person.isAccessible();
  await person.fits();
  await page.getByRole('link', { name: words.askAnother }).click();
  await expect(page).toHaveURL('/forgot-password');
});

test('forgotten: the code, by keyboard alone', async ({ person }) => {
  const { page, words, field, address } = person;
  await person.signUp();
  await person.button(words.logOut).click();
  await expect(page).toHaveURL('/login');
  await person.tabTo(page.getByRole('link', { name: words.forgot }));
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/forgot-password');
  await person.isAccessible();
  await person.fits();
  await person.tabTo(field(words.email));
  await page.keyboard.type(address);
  await page.keyboard.press('Enter');
  await person.isAt(words.lookIntoMail);
  await expect(page.getByRole('main')).toBeFocused();
  const first = await person.mail(address, '/reset-password');
  await person.tabTo(person.button(words.sendAgain));
  await page.keyboard.press('Enter');
  await expect(page.getByText(words.askedAgain)).toBeVisible();
  const { code } = await person.mail(address, '/reset-password', first);
  await page.getByRole('main').focus();
  const wrong = String((Number(code.replace(' ', '')) + 1) % 1e8).padStart(8, '0');
  for (const [label, value] of [
    [words.code, wrong],
    [words.next, NEXT],
    [words.repeat, NEXT],
  ] as const) {
    await person.tabTo(field(label));
    await page.keyboard.type(value);
  }
  await page.keyboard.press('Enter');
  await expect(field(words.code)).toHaveAccessibleDescription(words.badCode);
  await expect(field(words.code)).toBeFocused();
  await person.isAccessible();
  await person.fits();
  await page.keyboard.press('ControlOrMeta+A');
  // As it is written in the mail, in two parts.
  expect(code).toMatch(/^\d{4} \d{4}$/);
  await page.keyboard.type(code);
  await page.keyboard.press('Enter');
  await person.isAt(words.resetDone);
  await person.tabTo(page.getByRole('link', { name: words.logIn }));
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/login');
  await person.logIn(NEXT);
  await person.isAt(words.hello(person.name));
});

test('nobody learns which addresses have an account', async ({ person, elsewhere }) => {
  const { page, words } = person;
  await elsewhere.signUp();
  const said: string[] = [];
  for (const address of [elsewhere.address, `no-${elsewhere.address}`]) {
    await page.goto('/forgot-password');
    await person.field(words.email).fill(address);
    await person.button(words.sendMail).click();
    await person.isAt(words.lookIntoMail);
    said.push((await page.getByRole('main').innerText()).replaceAll(address, ''));
  }
  expect(said[1]).toBe(said[0]);
});

test('confirm the address in the browser that has signed up', async ({ person }) => {
  const { page, words, address } = person;
  await person.signUp();
  await expect(page.getByText(words.notConfirmed)).toBeVisible();
  const { link } = await person.mail(address, '/verify-email');
  await page.goto(link);
  await person.isAt(words.verify);
  await expect(page).toHaveURL('/verify-email');
  await keepsNothingOf(person, link);
  await person.isAccessible();
  await person.fits();
  await person.tabTo(person.button(words.confirmAddress));
  await page.keyboard.press('Enter');
  await person.isAt(words.verifyDone);
  await expect(page.getByText(address)).toBeVisible();
  await person.isAccessible();
  await person.fits();
  await page.getByRole('link', { name: words.home }).click();
  await expect(page.getByText(words.confirmed, { exact: true })).toBeVisible();
  await expect(page.getByText(words.notConfirmed)).toBeHidden();

  // Once more: it says that it was used, and that all is well.
  await page.goto(link);
  await person.button(words.confirmAddress).click();
  await expect(page.getByRole('alert')).toHaveText(words.badLink);
  await expect(page.getByText(address)).toBeVisible();
  await person.isAccessible();
  await person.fits();
});

test('confirm the address at home, by the code', async ({ person }) => {
  const { page, words, field, button, address } = person;
  await person.signUp();
  const first = await person.mail(address, '/verify-email');
  await button(words.sendAgain).click();
  await expect(page.getByText(words.askedAgain)).toBeVisible();
  const { code } = await person.mail(address, '/verify-email', first);
  await field(words.code).fill('1');
  await button(words.confirm).click();
  await expect(field(words.code)).toBeFocused();
  await person.isAccessible();
  await person.fits();
  await field(words.code).fill(code);
  await page.keyboard.press('Enter');
  await expect(page.getByText(words.confirmed, { exact: true })).toBeVisible();
  await expect(field(words.code)).toBeHidden();
  await expect(page.locator('section h2').first()).toBeFocused();
  await person.isAccessible();
});

test('confirm the address in another browser: with the password', async ({ person, elsewhere }) => {
  const { page, words, field, button } = elsewhere;
  await person.signUp();
  const { link } = await person.mail(person.address, '/verify-email');
  await page.goto(link);
  await elsewhere.isAt(words.verify);
  await expect(page).toHaveURL('/verify-email');
  await keepsNothingOf(elsewhere, link);
  await elsewhere.isAccessible();
  await elsewhere.fits();
  await elsewhere.tabTo(field(words.password));
  await page.keyboard.type('wrong');
  await page.keyboard.press('Enter');
  await expect(field(words.password)).toHaveAccessibleDescription(words.wrongField);
  await expect(field(words.password)).toBeFocused();
  await elsewhere.isAccessible();
  await elsewhere.fits();
  await field(words.password).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await elsewhere.isAt(words.verifyDone);
  await expect(page.getByRole('main')).toBeFocused();
  await elsewhere.isAccessible();
  await elsewhere.fits();
  // Nobody was thrown out, and the password is what it was.
  await person.page.reload();
  await expect(person.page.getByText(words.confirmed, { exact: true })).toBeVisible();
  await page.getByRole('link', { name: words.logIn }).click();
  await elsewhere.logIn();
  await elsewhere.isAt(words.hello(person.name));
  await expect(button(words.confirm)).toBeHidden();
});

test('confirm an address that somebody else has signed up with', async ({ person, elsewhere }) => {
  const { page, words, button } = elsewhere;
  await person.signUp();
  const { link } = await person.mail(person.address, '/verify-email');
  await page.goto(link);
  await button(words.confirmWithout).click();
  await elsewhere.isAt(words.verifyDone);
  await elsewhere.isAccessible();
  await elsewhere.fits();
  await expect(person.page).toHaveURL('/login');
  await expect(person.page.getByText(words.ended)).toBeVisible();
  await person.logIn();
  await expect(person.page.getByRole('alert')).toHaveText(words.wrong);
  await page.goto((await person.mail(person.address, '/reset-password')).link);
  await choosePassword(elsewhere);
  await elsewhere.isAt(words.resetDone);
  await elsewhere.logIn(NEXT);
  await elsewhere.isAt(words.hello(person.name));

  // The link is used up, also for whoever has it from the mail.
  await person.page.goto(link);
  await person.button(words.confirmWithout).click();
  await expect(person.page.getByRole('alert')).toHaveText(words.badLink);
  await expect(person.button(words.sendMail)).toBeVisible();
  await person.isAccessible();
  await person.fits();
});

/** Asks for another address, in the dialog. */
async function changeAddress(person: Person, address: string): Promise<void> {
  const { words, field, button, page } = person;
  const dialog = page.getByRole('dialog');
  await button(words.changeEmail).click();
  await expect(field(words.newEmail)).toBeFocused();
  await field(words.newEmail).fill(address);
  await field(words.current).fill(PASSWORD);
  await dialog.getByRole('button', { name: words.changeEmail }).click();
}

test('change the address, by the link', async ({ person, elsewhere }) => {
  const { page, words, field, address } = person;
  await elsewhere.signUp();
  const taken = elsewhere.address;
  const own = `own-${address}`;
  await page.goto('/signup');
  await field(words.username).fill(`${elsewhere.name}-2`);
  await field(words.email).fill(own);
  await field(words.password).fill(PASSWORD);
  await field(words.repeat).fill(PASSWORD);
  await person.button(words.signUp).click();
  await expect(page.getByText(own)).toBeVisible();

  await changeAddress(person, taken);
  await expect(field(words.newEmail)).toHaveAccessibleDescription(words.emailTaken);
  await expect(field(words.newEmail)).toBeFocused();
  await person.isAccessible();
  await person.fits();
  const next = `new-${address}`;
  await field(words.newEmail).fill(next);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toContainText(next);
  await expect(page.getByRole('dialog')).toContainText(own);
  await expect(page.getByRole('dialog')).toBeFocused();
  await person.isAccessible();
  await person.fits();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(person.button(words.changeEmail)).toBeFocused();
  // Nothing has changed yet.
  await expect(page.getByText(own)).toBeVisible();
  await page.goto((await person.mail(next, '/change-email')).link);
  await person.button(words.confirmAddress).click();
  await person.isAt(words.verifyDone);
  await expect(page.getByText(next)).toBeVisible();
});

test('change the address, by the code, and take it back', async ({ person, elsewhere }) => {
  const { page, words, button, address } = person;
  await person.signUp();
  const next = `new-${address}`;
  await changeAddress(person, next);
  const dialog = page.getByRole('dialog');
  await dialog
    .getByRole('textbox', { name: words.code })
    .fill((await person.mail(next, '/change-email')).code);
  await dialog.getByRole('button', { name: words.confirm }).click();
  await expect(page.getByText(words.emailChanged)).toBeVisible();
  await expect(dialog).toBeHidden();
  await expect(page.getByText(next)).toBeVisible();
  await expect(page.getByText(words.confirmed, { exact: true })).toBeVisible();
  await expect(button(words.changeEmail)).toBeFocused();

  // It was not the owner, who still reads the mail of the address of before.
  const { link } = await person.mail(address, '/revert-email');
  await elsewhere.page.goto(link);
  await elsewhere.isAt(words.stopChange);
  await expect(elsewhere.page).toHaveURL('/revert-email');
  await keepsNothingOf(elsewhere, link);
  await elsewhere.isAccessible();
  await elsewhere.fits();
  await elsewhere.button(words.revert).click();
  await elsewhere.isAt(words.revertDone);
  await elsewhere.isAccessible();
  await elsewhere.fits();
  await expect(page).toHaveURL('/login');
  await elsewhere.page.goto((await person.mail(address, '/reset-password')).link);
  await choosePassword(elsewhere);
  await elsewhere.isAt(words.resetDone);
  await elsewhere.logIn(NEXT);
  await expect(elsewhere.page.getByText(address)).toBeVisible();

  await elsewhere.page.goto(link);
  await elsewhere.button(words.revert).click();
  await expect(elsewhere.page.getByRole('alert')).toHaveText(words.badLink);
  await expect(elsewhere.page.getByRole('link', { name: words.forgot })).toBeVisible();
  await elsewhere.isAccessible();
});

test('a log-in before the address is confirmed, where that comes first', async ({ person }) => {
  const { page, words, field, button, address } = person;
  await person.signUp();
  const first = await person.mail(address, '/verify-email');
  await button(words.logOut).click();
  await expect(page).toHaveURL('/login');
  // As a service does that asks for it; this one does not.
  await page.route('**/api/user/session', (route) =>
    route.fulfill({ status: 403, json: { detail: 'No.', error: 'invalid_grant' } }),
  );
  await person.logIn();
  await expect(page.getByRole('alert')).toHaveText(words.unconfirmed);
  await person.isAccessible();
  await person.fits();
  await page.getByRole('link', { name: words.mailAgain }).click();
  await field(words.email).fill(address);
  await person.isAccessible();
  await person.fits();
  await button(words.sendMail).click();
  await person.isAt(words.lookIntoMail);
  await person.isAccessible();
  await person.fits();
  const { code } = await person.mail(address, '/verify-email', first);
  await field(words.code).fill(code);
  await field(words.password).fill(PASSWORD);
  await button(words.confirmAddress).click();
  await person.isAt(words.verifyDone);
  await page.unroute('**/api/user/session');
  await person.logIn();
  await expect(page.getByText(words.confirmed, { exact: true })).toBeVisible();
});

test('a new address is confirmed elsewhere with the password, and not without', async ({
  person,
  elsewhere,
}) => {
  await person.signUp();
  const next = `new-${person.address}`;
  await changeAddress(person, next);
  const { page, words, field, button } = elsewhere;
  await page.goto((await person.mail(next, '/change-email')).link);
  await elsewhere.isAt(words.verify);
  await expect(page).toHaveURL('/change-email');
  await expect(button(words.confirmWithout)).toBeHidden();
  await elsewhere.isAccessible();
  await elsewhere.fits();
  await field(words.password).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await elsewhere.isAt(words.verifyDone);
  await person.page.reload();
  await expect(person.page.getByText(next)).toBeVisible();
});

test('the pages of links in mails speak both languages', async ({ person }) => {
  const { page, words } = person;
  const heading = page.getByRole('heading', { level: 1 });
  const link = `#${'x'.repeat(43)}`;
  for (const path of [
    '/forgot-password',
    `/reset-password${link}`,
    '/verify-email',
    `/verify-email${link}`,
    `/change-email${link}`,
    '/revert-email',
    `/revert-email${link}`,
  ]) {
    await page.goto('about:blank');
    await page.goto(path);
    await expect(heading).toBeVisible();
    const [title, text] = [await heading.textContent(), await page.title()];
    await person.button(words.other).click();
    await expect(heading).not.toHaveText(title ?? '');
    await expect(page).not.toHaveTitle(text);
    await expect(page).toHaveURL(path.replace(link, ''));
    await person.isAccessible();
    await person.fits();
    await page.evaluate(() => {
      localStorage.clear();
    });
  }
});
