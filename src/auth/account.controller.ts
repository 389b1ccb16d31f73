import { Body, Controller, Header, HttpCode, Patch, Post, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { type Client, FromClient } from '../http/client.decorator';
import { clearSessionCookie, setSessionCookie } from '../http/session-cookie';
import {
  ApiBodyErrors,
  ApiCommonErrors,
  ApiErrorResponse,
  ApiHashing,
  ApiLimited,
  ApiTokenToWrite,
} from '../openapi/decorators';
import { toUserResponse } from '../user/dto/user.response';
import { AccountService } from './account.service';
import { CurrentLogin } from './current-login.decorator';
import { ChangePasswordDto } from './dto/change-password.dto';
import { DeleteAccountDto } from './dto/delete-account.dto';
import { RenameDto } from './dto/rename.dto';
import { RenamedResponse } from './dto/renamed.response';

/** What the owner of an account does to it. */
@ApiTags('user')
@ApiCommonErrors()
@Controller('user')
export class AccountController {
  constructor(private readonly accounts: AccountService) {}

  @Post('password')
  @HttpCode(204)
  @ApiOperation({ summary: 'Change my password: every other login ends' })
  @ApiTokenToWrite()
  @ApiNoContentResponse({ description: 'The new password is the one to log in with.' })
  @ApiBodyErrors()
  @ApiHashing()
  @ApiLimited(['tooManyPasswords'])
  async changePassword(
    @CurrentLogin() login: Express.User,
    @Body() body: ChangePasswordDto,
    @FromClient() client: Client,
  ): Promise<void> {
    await this.accounts.changePassword(login, body, client);
  }

  @Post('delete')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete my account' })
  @ApiTokenToWrite()
  @ApiNoContentResponse({ description: 'The account and everything of it is gone.' })
  @ApiErrorResponse(409, ['refusedByData'])
  @ApiBodyErrors()
  @ApiHashing()
  @ApiLimited(['tooManyPasswords'])
  async deleteAccount(
    @CurrentLogin() login: Express.User,
    @Body() body: DeleteAccountDto,
    @FromClient() client: Client,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    await this.accounts.delete(login, body, client);
    if (login.byCookie === true) clearSessionCookie(response);
  }

  @Patch('me')
  @Header('Cache-Control', 'no-store')
  @Header('Pragma', 'no-cache')
  @ApiOperation({ summary: 'Change my name: tokens under the old one die' })
  @ApiTokenToWrite()
  @ApiOkResponse({ type: RenamedResponse })
  @ApiErrorResponse(409, ['userExists'])
  @ApiBodyErrors()
  @ApiLimited(['tooManyRequests'])
  async rename(
    @CurrentLogin() login: Express.User,
    @Body() { username }: RenameDto,
    @FromClient() client: Client,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RenamedResponse> {
    const { user, token } = await this.accounts.rename(login, username, client);
    const { access_token, token_type, expires_in } = token;
    if (login.byCookie === true) {
      setSessionCookie(response, access_token, expires_in);
      return toUserResponse(user);
    }
    return Object.assign(toUserResponse(user), { access_token, token_type, expires_in });
  }
}
