import { Alert, Anchor, Button, Stack, Text } from '@mantine/core';
import type { JSX } from 'react';
import { Link } from 'react-router';
import { isUnconfirmed, useFarewell, useLogIn } from '../api/queries';
import { ActionButton } from '../components/action-button';
import { PasswordField } from '../components/password-field';
import { required, useServiceForm } from '../components/use-service-form';
import { UsernameField } from '../components/username-field';
import { useSpeech } from '../i18n/language';
import { AuthPage } from './auth-page';

export function LogInPage(): JSX.Element {
  const { t } = useSpeech();
  const logIn = useLogIn();
  const isRefused = isUnconfirmed(logIn.error);
  const { form, onSubmit, problem } = useServiceForm(
    {
      initialValues: { username: '', password: '' },
      validate: { username: required, password: required },
    },
    logIn,
    { words: { 401: t.wrongLogin, ...(isRefused && { 403: t.unconfirmedLogIn }) } },
  );
  const farewell = useFarewell();
  return (
    <AuthPage
      title={t.welcome}
      hint={t.welcomeHint}
      other={{ question: t.noAccount, to: '/signup', name: t.signUp }}
    >
      <form onSubmit={onSubmit} noValidate>
        <Stack>
          {farewell !== null && logIn.isIdle && (
            <Alert variant="light" role="status">
              {t.farewell[farewell]}
            </Alert>
          )}
          {problem}
          {isRefused && (
            <Button component={Link} to="/verify-email" variant="default">
              {t.mailAgain}
            </Button>
          )}
          <UsernameField key={form.key('username')} {...form.getInputProps('username')} />
          <PasswordField
            label={t.password}
            autoComplete="current-password"
            required
            key={form.key('password')}
            {...form.getInputProps('password')}
          />
          <ActionButton type="submit" size="md" mt="xs" working={logIn.isPending}>
            {t.logIn}
          </ActionButton>
        </Stack>
      </form>
      <Text mt="md" ta="center">
        <Anchor component={Link} to="/forgot-password" underline="always">
          {t.forgot}
        </Anchor>
      </Text>
    </AuthPage>
  );
}
