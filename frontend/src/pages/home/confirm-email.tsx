import { Box, Stack, Text } from '@mantine/core';
import type { JSX } from 'react';
import type { User } from '../../api/client';
import { useResendVerification, useVerifyEmail } from '../../api/recovery';
import { AskMailAgain } from '../../components/ask-mail';
import { CodeForm } from '../../components/code-form';
import { keepFocus } from '../../components/keep-focus';
import { useNotice } from '../../components/use-notice';
import { useSpeech } from '../../i18n/language';

const confirmed = keepFocus((box) => box.closest('section')?.querySelector('h2'));

/** Asks for the code that was sent to my address, until it is confirmed. */
export function ConfirmEmail({ me }: { readonly me: User }): JSX.Element | null {
  const { t } = useSpeech();
  const notice = useNotice();
  const verify = useVerifyEmail((typed: { token: string }) => ({ ...typed, email: me.email }));
  const again = useResendVerification();
  if (me.email_verified_at !== null) return null;
  return (
    <Box className="to-do" p="md" ref={confirmed}>
      <Stack gap="sm">
        <Text size="sm">{t.confirmHint}</Text>
        <CodeForm
          verify={verify}
          submit={t.confirm}
          onSuccess={() => {
            notice(t.emailConfirmed);
          }}
        />
        <AskMailAgain ask={again} body={{}} />
      </Stack>
    </Box>
  );
}
