import { Stack, Table } from '@mantine/core';
import { IconUser } from '@tabler/icons-react';
import type { JSX } from 'react';
import type { User } from '../../api/client';
import { useRename } from '../../api/queries';
import { Card } from '../../components/card';
import { DialogForm, FormDialog } from '../../components/form-dialog';
import { required, useServiceForm } from '../../components/use-service-form';
import { useNotice } from '../../components/use-notice';
import { UsernameField } from '../../components/username-field';
import { useSpeech } from '../../i18n/language';

/** Who I am. */
export function ProfileCard({ me }: { readonly me: User }): JSX.Element {
  const { t } = useSpeech();
  const facts = [
    [t.username, me.username],
    [t.email, me.email],
    [t.number, me.id],
  ] as const;
  return (
    <Card icon={IconUser} title={t.profile}>
      <Stack>
        <Table variant="vertical" withRowBorders={false} layout="fixed">
          <Table.Tbody>
            {facts.map(([name, value]) => (
              <Table.Tr key={name}>
                <Table.Th scope="row" w="38%" fw={500} bg="transparent" px={0} c="dimmed">
                  {name}
                </Table.Th>
                <Table.Td className="break-anywhere">{value}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
        <FormDialog title={t.changeName}>
          {(close) => <RenameForm username={me.username} close={close} />}
        </FormDialog>
      </Stack>
    </Card>
  );
}

function RenameForm({
  username,
  close,
}: {
  readonly username: string;
  readonly close: () => void;
}): JSX.Element {
  const { t } = useSpeech();
  const notice = useNotice();
  const rename = useRename();
  const { form, onSubmit, problem } = useServiceForm(
    { initialValues: { username }, validate: { username: required } },
    rename,
    {
      onSuccess: () => {
        close();
        notice(t.nameChanged);
      },
      words: { 409: t.nameTaken },
    },
  );
  return (
    <DialogForm
      hint={t.changeNameHint}
      submit={{ name: t.save }}
      working={rename.isPending}
      onSubmit={onSubmit}
      close={close}
    >
      {problem}
      <UsernameField
        label={t.newName}
        data-autofocus
        key={form.key('username')}
        {...form.getInputProps('username')}
      />
    </DialogForm>
  );
}
