import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { App } from './app';
import { empty, json, ME, NOBODY, serve, session, sessionsOf, show } from './test-render';

it('shows who I am and where I am logged in, and ends one login', async () => {
  const sessions = [session('a', true), session('b')];
  serve({
    'GET /api/user/me': () => json(200, ME),
    'GET /api/user/sessions': sessionsOf(sessions),
    'DELETE /api/user/sessions/b': () => {
      sessions.pop();
      return empty();
    },
  });
  show(<App />);
  expect(await screen.findByRole('heading', { name: 'Hello, hana' })).toBeVisible();
  expect(screen.getByText('hana@example.com')).toBeVisible();
  const [mine, other] = await screen.findAllByRole('listitem');
  if (mine === undefined || other === undefined) throw new Error('There are two logins');
  expect(within(mine).getByText('This device')).toBeVisible();
  expect(within(mine).queryByRole('button')).toBeNull();
  await userEvent.click(within(other).getByRole('button'));
  expect(await screen.findByText('You are logged in nowhere else.')).toBeVisible();
});

it('calls each button by the login that it ends, also on one device', async () => {
  serve({
    'GET /api/user/me': () => json(200, ME),
    'GET /api/user/sessions': sessionsOf([session('a', true), session('b'), session('c')]),
  });
  show(<App />);
  const buttons = await screen.findAllByRole('button', {
    name: /^End login [23], of Firefox · Linux, logged in .*2027/,
  });
  expect(new Set(buttons.map((button) => button.getAttribute('aria-label'))).size).toBe(2);
});

it('says that it is working, does nothing twice, and keeps the focus', async () => {
  const sessions = [session('a', true), session('b'), session('c'), session('d')];
  let answer: () => void = () => undefined;
  const sent = serve({
    'GET /api/user/me': () => json(200, ME),
    'GET /api/user/sessions': sessionsOf(sessions),
    'DELETE /api/user/sessions/c': () =>
      new Promise((resolve) => {
        answer = () => {
          sessions.splice(2, 1);
          resolve(empty());
        };
      }),
  });
  show(<App />);
  const [, , third, fourth] = await screen.findAllByRole('listitem');
  if (third === undefined || fourth === undefined) throw new Error('There are four logins');
  const button = within(third).getByRole('button');
  await userEvent.click(button);
  await waitFor(() => {
    expect(button).toHaveAccessibleName('Working…');
  });
  expect(button).toHaveAttribute('aria-busy', 'true');
  expect(within(third).getByRole('status')).toHaveTextContent('Working…');
  expect(button).toHaveFocus();
  await userEvent.keyboard('{Enter}');
  answer();
  await waitFor(() => {
    expect(third).not.toBeInTheDocument();
  });
  expect(fourth).toHaveFocus();
  expect(sent.filter(({ method }) => method === 'DELETE')).toHaveLength(1);
});

it('goes on at the heading of the list when there is nothing else in it', async () => {
  const sessions = [session('a', true), session('b')];
  serve({
    'GET /api/user/me': () => json(200, ME),
    'GET /api/user/sessions': sessionsOf(sessions),
    'DELETE /api/user/sessions': () => {
      sessions.pop();
      return empty();
    },
  });
  show(<App />);
  await userEvent.click(await screen.findByRole('button', { name: 'End all others' }));
  await screen.findByText('You are logged in nowhere else.');
  expect(screen.getByRole('heading', { name: 'Where you are logged in' })).toHaveFocus();
});

it.each([
  ['Delete account', 'password'],
  ['Change password', 'current_password'],
])('tells password managers whose password is asked for: %s', async (name) => {
  serve({
    'GET /api/user/me': () => json(200, ME),
    'GET /api/user/sessions': sessionsOf([session('a', true)]),
  });
  show(<App />);
  await userEvent.click(await screen.findByRole('button', { name }));
  const dialog = await screen.findByRole('dialog');
  expect(dialog.querySelector('input[autocomplete=username]')).toHaveValue('hana');
});

it('says why nobody is logged in any more when another tab knows', async () => {
  let loggedIn = true;
  serve({
    'GET /api/user/me': () => (loggedIn ? json(200, ME) : NOBODY()),
    'GET /api/user/sessions': sessionsOf([session('a', true), session('b')]),
    'DELETE /api/user/sessions': NOBODY,
  });
  show(<App />);
  const button = await screen.findByRole('button', { name: 'End all others' });
  const otherTab = new BroadcastChannel('login');
  loggedIn = false;
  otherTab.postMessage('deleted');
  expect(await screen.findByText('Your account has been deleted.')).toBeVisible();
  expect(button).not.toBeInTheDocument();
  // Though it may have noticed first that there is nobody, and not known why.
  otherTab.postMessage('loggedOut');
  expect(await screen.findByText('You have logged out.')).toBeVisible();
  otherTab.close();
});
