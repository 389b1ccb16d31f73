import { Button, Stack, Text } from '@mantine/core';
import type { JSX } from 'react';
import { Link } from 'react-router';
import { useRevertEmail } from '../../api/recovery';
import { ActionButton } from '../../components/action-button';
import { ProblemAlert } from '../../components/problem-alert';
import { useSpeech } from '../../i18n/language';
import { isUsedUp } from '../../i18n/problem-words';
import { AuthPage } from '../auth-page';

/** Where the link of the mail leads that says an account is to have another address. */
export default function RevertEmailPage({ token }: { readonly token: string }): JSX.Element {
  const { t } = useSpeech();
  const revert = useRevertEmail();
  const forgot = { question: t.revertUsed, to: '/forgot-password', name: t.forgot };
  if (revert.isSuccess) {
    return (
      <AuthPage
        title={t.revertDone}
        hint={t.revertDoneHint}
        step="done"
        other={{ ...forgot, question: t.noMailYet }}
      />
    );
  }
  const problem = <ProblemAlert error={revert.error} words={{ 409: t.takenMeanwhile }} />;
  if (isUsedUp(revert.error)) {
    return (
      <AuthPage title={t.revertTitle} hint={t.usedHint} step="used" other={forgot}>
        {problem}
      </AuthPage>
    );
  }
  if (token === '') return <AuthPage title={t.revertTitle} hint={t.noLink} other={forgot} />;
  return (
    <AuthPage title={t.revertTitle} hint={t.revertHint} step="revert">
      <Stack>
        {problem}
        <Text>{t.revertMeaning}</Text>
        <ActionButton
          size="md"
          working={revert.isPending}
          onClick={() => {
            revert.mutate({ token });
          }}
        >
          {t.revert}
        </ActionButton>
        <Button component={Link} to="/" variant="default" size="md">
          {t.cancel}
        </Button>
      </Stack>
    </AuthPage>
  );
}
