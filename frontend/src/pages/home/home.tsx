import '@mantine/notifications/styles.css';
import { Box, Container, Text, Title } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import type { JSX } from 'react';
import { useMe } from '../../api/queries';
import { useSpeech } from '../../i18n/language';
import { fill } from '../../i18n/messages';
import { DangerCard } from './danger-card';
import { PasswordCard } from './password-card';
import { ProfileCard } from './profile-card';
import { SessionsCard } from './sessions-card';

/** What an account is, where it is logged in, and what its owner can do about both. */
export default function HomePage(): JSX.Element | null {
  const { t } = useSpeech();
  const { data: me } = useMe();
  if (!me) return null;
  return (
    <Container size="lg" w="100%" pb="xl">
      <title>{t.account}</title>
      <Notifications position="bottom-center" />
      <Box my="lg">
        <Title order={1} fz={{ base: 24, sm: 30 }} className="break-anywhere">
          {fill(t.hello, { name: me.username })}
        </Title>
        <Text c="dimmed" mt={4}>
          {t.homeHint}
        </Text>
      </Box>
      <Box className="home">
        <ProfileCard me={me} />
        <PasswordCard me={me} />
        <Box className="home-beside">
          <SessionsCard />
        </Box>
        <DangerCard me={me} />
      </Box>
    </Container>
  );
}
