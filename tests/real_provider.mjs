// The council's sign-in for the tests: oidc-provider, which refuses what the standards refuse.
// Started with the folder of its packages, and our address.
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [, , packages, site] = process.argv;
const { Provider } = createRequire(`${packages}/`)("oidc-provider");

const TENANT = "6babcaad-604b-40ac-a9d7-9fd97c0b779f";
const ROLES = { hilda: ["headteacher"], moss: ["mentor"], nobody: [] };

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "waymark-at-the-council",
        client_secret: "a-secret-of-the-council-for-waymark",
        token_endpoint_auth_method: "client_secret_post",
        redirect_uris: [`${site}/staff/sign-in/callback`],
        post_logout_redirect_uris: [`${site}/staff/signed-out`],
        require_auth_time: true,
      },
    ],
    pkce: { required: () => true },
    // Like Entra ID, all that we need stands in the ID token.
    conformIdTokenClaims: false,
    claims: { openid: ["sub", "tid", "oid", "roles"], profile: ["name", "preferred_username"] },
    findAccount: (context, id) => ({
      accountId: id,
      claims: () => ({
        sub: `pairwise-${id}`,
        tid: TENANT,
        oid: id,
        roles: ROLES[id],
        name: `${id} (invented)`,
        preferred_username: `${id}@council.example`,
      }),
    }),
    features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    cookies: { keys: ["for the tests only"] },
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
