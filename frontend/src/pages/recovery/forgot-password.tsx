import { Button, Stack } from '@mantine/core';
import { type JSX, useState } from 'react';
import { useForgotPassword, useResetPassword } from '../../api/recovery';
import { ActionButton } from '../../components/action-button';
import { AskMailAgain, AskMailForm } from '../../components/ask-mail';
import { CodeField, codeRule, withDigits } from '../../components/code-field';
import {
  type NewPassword,
  newPasswordRules,
  NewPasswordFields,
} from '../../components/new-password-fields';
import { useServiceForm } from '../../components/use-service-form';
import { useSpeech } from '../../i18n/language';
import { fill } from '../../i18n/messages';
import { AuthPage } from '../auth-page';
import { ResetDone } from './reset-done';

/** Has a mail sent to choose another password, and takes the code in it. */
export default function ForgotPasswordPage(): JSX.Element {
  const { t } = useSpeech();
  const ask = useForgotPassword();
  const [email, setEmail] = useState('');
  const reset = useResetPassword((typed: NewPassword & { token: string }) => ({ ...typed, email }));
  if (reset.isSuccess) return <ResetDone />;
  const isAsked = email !== '';
  return (
    <AuthPage
      title={isAsked ? t.lookIntoMail : t.forgotTitle}
      hint={isAsked ? fill(t.resetSent, { email }) : t.forgotHint}
      step={isAsked ? 'code' : 'address'}
      other={{ question: t.remembered, to: '/login', name: t.logIn }}
    >
      {isAsked ? (
        <ByCode
          email={email}
          reset={reset}
          back={() => {
            reset.reset();
            setEmail('');
          }}
        />
      ) : (
        <AskMailForm ask={ask} onAsked={setEmail} />
      )}
    </AuthPage>
  );
}

function ByCode({
  email,
  reset,
  back,
}: {
  readonly email: string;
  readonly reset: ReturnType<typeof useResetPassword<NewPassword & { token: string }>>;
  readonly back: () => void;
}): JSX.Element {
  const { t } = useSpeech();
  const again = useForgotPassword();
  const { form, onSubmit, problem } = useServiceForm(
    {
      initialValues: { token: '', password1: '', password2: '' },
      validate: { token: codeRule, ...newPasswordRules },
      transformValues: withDigits,
    },
    reset,
  );
  return (
    <Stack>
      <form onSubmit={onSubmit} noValidate>
        <Stack>
          {problem}
          <CodeField key={form.key('token')} {...form.getInputProps('token')} />
          <NewPasswordFields form={form} label={t.newPassword} about={() => [email]} />
          <ActionButton type="submit" size="md" mt="xs" working={reset.isPending}>
            {t.changePassword}
          </ActionButton>
        </Stack>
      </form>
      <AskMailAgain ask={again} body={{ email }} />
      <Button variant="subtle" onClick={back}>
        {t.otherAddress}
      </Button>
    </Stack>
  );
}
