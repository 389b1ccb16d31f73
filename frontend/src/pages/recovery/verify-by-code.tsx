import { Button, Stack } from '@mantine/core';
import { type JSX, useState } from 'react';
import { Link } from 'react-router';
import type { User } from '../../api/client';
import { useMe } from '../../api/queries';
import { useResendVerification, useVerifyEmail } from '../../api/recovery';
import { ActionButton } from '../../components/action-button';
import { AskMailAgain, AskMailForm } from '../../components/ask-mail';
import { CodeField, codeRule, withDigits } from '../../components/code-field';
import { CodeForm } from '../../components/code-form';
import { PasswordField } from '../../components/password-field';
import { required, useServiceForm } from '../../components/use-service-form';
import { useSpeech } from '../../i18n/language';
import { fill } from '../../i18n/messages';
import { AuthPage } from '../auth-page';
import { VerifyDone } from './verify-done';

/**
 * For whoever has no link that is good: another mail, and the code in it.
 *
 * @param problem of the link that is not good
 */
export function VerifyByCode({ problem }: { readonly problem?: JSX.Element }): JSX.Element {
  const { data: me = null } = useMe();
  return me === null ? <LoggedOut problem={problem} /> : <LoggedIn me={me} problem={problem} />;
}

function LoggedIn({
  me: { email, email_verified_at: verifiedAt },
  problem,
}: {
  readonly me: User;
  readonly problem: JSX.Element | undefined;
}): JSX.Element {
  const { t } = useSpeech();
  const verify = useVerifyEmail((typed: { token: string }) => ({ ...typed, email }));
  const again = useResendVerification();
  const isConfirmed = verifiedAt !== null;
  return (
    <AuthPage
      title={isConfirmed ? t.verifyDone : t.verifyTitle}
      hint={isConfirmed ? fill(t.verifyDoneHint, { email }) : t.confirmHint}
      step={isConfirmed ? 'done' : 'code'}
    >
      <Stack>
        {problem}
        {!isConfirmed && (
          <>
            <CodeForm verify={verify} submit={t.confirmAddress} />
            <AskMailAgain ask={again} body={{}} />
          </>
        )}
        <Button component={Link} to="/" variant={isConfirmed ? 'filled' : 'subtle'}>
          {t.home}
        </Button>
      </Stack>
    </AuthPage>
  );
}

function LoggedOut({ problem }: { readonly problem: JSX.Element | undefined }): JSX.Element {
  const { t } = useSpeech();
  const [email, setEmail] = useState('');
  const ask = useResendVerification<{ email: string }>();
  const isAsked = email !== '';
  return isAsked ? (
    <WithPassword email={email} />
  ) : (
    <AuthPage
      title={t.verifyTitle}
      hint={t.verifyAskHint}
      step="address"
      other={{ question: t.haveAccount, to: '/login', name: t.logIn }}
    >
      <Stack>
        {problem}
        <AskMailForm ask={ask} onAsked={setEmail} />
      </Stack>
    </AuthPage>
  );
}

/** Who does not know it opens the link, where it says what that means. */
function WithPassword({ email }: { readonly email: string }): JSX.Element {
  const { t } = useSpeech();
  const again = useResendVerification<{ email: string }>();
  const verify = useVerifyEmail((typed: { token: string; password: string }) => ({
    ...typed,
    email,
  }));
  const { form, onSubmit, problem } = useServiceForm(
    {
      initialValues: { token: '', password: '' },
      validate: { token: codeRule, password: required },
      transformValues: withDigits,
    },
    verify,
    { words: { 409: t.takenMeanwhile } },
  );
  if (verify.isSuccess) return <VerifyDone by="owner" />;
  return (
    <AuthPage
      title={t.lookIntoMail}
      hint={fill(t.verifySent, { email })}
      step="code"
      other={{ question: t.haveAccount, to: '/login', name: t.logIn }}
    >
      <Stack>
        <form onSubmit={onSubmit} noValidate>
          <Stack>
            {problem}
            <CodeField key={form.key('token')} {...form.getInputProps('token')} />
            <PasswordField
              label={t.password}
              autoComplete="current-password"
              required
              key={form.key('password')}
              {...form.getInputProps('password')}
            />
            <ActionButton type="submit" size="md" mt="xs" working={verify.isPending}>
              {t.confirmAddress}
            </ActionButton>
          </Stack>
        </form>
        <AskMailAgain ask={again} body={{ email }} />
      </Stack>
    </AuthPage>
  );
}
