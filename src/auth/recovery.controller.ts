import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Client, FromClient } from '../http/client.decorator';
import { LoginIfAny, Public } from '../http/public.decorator';
import {
  ApiBodyErrors,
  ApiCommonErrors,
  ApiErrorResponse,
  ApiHashing,
  ApiLimited,
  ApiMail,
  ApiTokenIfAny,
  ApiTokenToWrite,
} from '../openapi/decorators';
import { CurrentLogin, LoginOfRequest } from './current-login.decorator';
import { ChangeEmailDto } from './dto/change-email.dto';
import { ForgotPasswordDto } from './dto/forgot-password.dto';
import { MailTokenDto } from './dto/mail-token.dto';
import { ResendDto } from './dto/resend.dto';
import { ResetPasswordDto } from './dto/reset-password.dto';
import { VerifyEmailDto } from './dto/verify-email.dto';
import { RecoveryService } from './recovery.service';

/** What needs somebody who reads the mail of an address. No GET does anything: scanners open links. */
@ApiTags('user')
@ApiCommonErrors()
@Controller('user')
export class RecoveryController {
  constructor(private readonly recovery: RecoveryService) {}

  @Public()
  @Post('password/forgot')
  @HttpCode(204)
  @ApiOperation({ summary: 'I forgot my password: send me a mail' })
  @ApiNoContentResponse({ description: 'If an account has this address, a mail is on its way.' })
  @ApiBodyErrors()
  @ApiMail()
  async forgotPassword(
    @Body() { email }: ForgotPasswordDto,
    @FromClient() client: Client,
  ): Promise<void> {
    await this.recovery.forgotPassword(email, client);
  }

  @Public()
  @Post('password/reset')
  @HttpCode(204)
  @ApiOperation({ summary: 'Choose another password, with what the mail has brought' })
  @ApiNoContentResponse({ description: 'It is the one to log in with; every login has ended.' })
  @ApiBodyErrors()
  @ApiHashing()
  @ApiLimited(['tooManyRequests'])
  async resetPassword(@Body() body: ResetPasswordDto, @FromClient() client: Client): Promise<void> {
    await this.recovery.resetPassword(body, client);
  }

  @LoginIfAny()
  @Post('email/verify')
  @HttpCode(204)
  @ApiOperation({
    summary: 'This address is mine: what the mail has brought shows it',
    description:
      'Whoever confirms without a login of the account and without its password may be another than who signed up with their address: the logins and the password of before end then, and a mail to choose a password is sent. An address that an account is to have is confirmed with one of the two, and in no other way.',
  })
  @ApiTokenIfAny()
  @ApiNoContentResponse({ description: 'The address is confirmed, and the one of the account.' })
  @ApiErrorResponse(409, ['userExists'])
  @ApiBodyErrors()
  @ApiHashing()
  @ApiLimited(['tooManyRequests', 'tooManyPasswords'])
  async verifyEmail(
    @Body() body: VerifyEmailDto,
    @LoginOfRequest() login: Express.User | undefined,
    @FromClient() client: Client,
  ): Promise<void> {
    await this.recovery.verifyEmail(body, login, client);
  }

  @LoginIfAny()
  @Post('email/verify/resend')
  @HttpCode(204)
  @ApiOperation({ summary: 'Send me the mail to confirm my address again' })
  @ApiTokenIfAny()
  @ApiNoContentResponse({
    description:
      'If an account has this address, or the one that is logged in an address, that is not confirmed yet, a mail is on its way.',
  })
  @ApiBodyErrors()
  @ApiMail()
  async resendVerification(
    @Body() { email }: ResendDto,
    @LoginOfRequest() login: Express.User | undefined,
    @FromClient() client: Client,
  ): Promise<void> {
    await this.recovery.resendVerification(email, login, client);
  }

  @Post('email')
  @HttpCode(204)
  @ApiOperation({ summary: 'Give me another address: once I confirm it there' })
  @ApiTokenToWrite()
  @ApiNoContentResponse({ description: 'Mails are on their way, to the new address and the old.' })
  @ApiErrorResponse(409, ['userExists'])
  @ApiBodyErrors()
  @ApiHashing()
  @ApiMail('tooManyPasswords')
  async changeEmail(
    @CurrentLogin() login: Express.User,
    @Body() body: ChangeEmailDto,
    @FromClient() client: Client,
  ): Promise<void> {
    await this.recovery.changeEmail(login, body, client);
  }

  @Public()
  @Post('email/revert')
  @HttpCode(204)
  @ApiOperation({
    summary: 'It was not me who gave my account another address',
    description:
      'If somebody else has the address by now, which takes another backend on the same database, the account is disabled (409).',
  })
  @ApiNoContentResponse({
    description:
      'The address is as before, the logins and the password have ended, and a mail to choose another is sent.',
  })
  @ApiErrorResponse(409, ['userExists'])
  @ApiBodyErrors()
  @ApiLimited(['tooManyRequests'])
  async revertEmail(@Body() body: MailTokenDto, @FromClient() client: Client): Promise<void> {
    await this.recovery.revertEmail(body, client);
  }
}
