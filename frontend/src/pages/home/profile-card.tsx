import { Badge, DataList, Group, SimpleGrid, Stack } from '@mantine/core';
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
import { ChangeEmail } from './change-email';
import { ConfirmEmail } from './confirm-email';

/** Who I am. */
export function ProfileCard({ me }: { readonly me: User }): JSX.Element {
  const { t } = useSpeech();
  const isConfirmed = me.email_verified_at !== null;
  const email = (
    <Group gap="xs">
      {me.email}
      <Badge variant="light" size="sm" tt="none" color={isConfirmed ? 'brand' : 'red'}>
        {isConfirmed ? t.confirmed : t.notConfirmed}
      </Badge>
    </Group>
  );
  const facts = [
    [t.username, me.username],
    [t.email, email],
    [t.number, me.id],
  ] as const;
  return (
    <Card icon={IconUser} title={t.profile}>
      <Stack>
        <DataList size="md" gap="xs" labelWidth="9rem">
          {facts.map(([name, value]) => (
            // What is too long to stand beside its name stands below it.
            <DataList.Item key={name} style={{ flexWrap: 'wrap', rowGap: 0 }}>
              <DataList.ItemLabel>{name}</DataList.ItemLabel>
              <DataList.ItemValue className="break-anywhere">{value}</DataList.ItemValue>
            </DataList.Item>
          ))}
        </DataList>
        <ConfirmEmail me={me} />
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
          <FormDialog title={t.changeName}>
            {(close) => <RenameForm username={me.username} close={close} />}
          </FormDialog>
          <FormDialog title={t.changeEmail}>
            {(close) => <ChangeEmail me={me} close={close} />}
          </FormDialog>
        </SimpleGrid>
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
