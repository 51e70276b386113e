"""jelastic-client: everything in an urlencoded form, and any status but 200 is a failure."""

import datetime
import unittest

from jelastic_client import EnvStatus, JelasticClientException, JelasticClientFactory
from platform_under_test import PASSWORDS, URL, main, sign_in

PASSWORD = PASSWORDS["alice"]
TOKENS = "users.authentication."


def client(credential):
    return JelasticClientFactory(f"{URL}/1.0/", credential)


class Forms(unittest.TestCase):
    def setUp(self):
        self.session = sign_in("alice")
        self.by_session = client(self.session).api_client
        self.manage("DeleteTokens", ids="*")
        client(self.session).create_control_client().start_env("my-project")

    def manage(self, method, **parameters):
        return self.by_session.execute(TOKENS + method, password=PASSWORD, **parameters)

    def create(self, **parameters):
        return self.manage("CreateToken", **{"description": "ci", **parameters})["token"]

    def rejected(self, result, call, *arguments, **parameters):
        with self.assertRaises(JelasticClientException) as raised:
            call(*arguments, **parameters)
        self.assertEqual(raised.exception.response["result"], result, raised.exception)

    def test_a_token_stops_an_environment(self):
        names = "environment.control.StopEnv,environment.control.GetEnvInfo"
        control = client(self.create(apiList=names)["key"]).create_control_client()
        self.assertTrue(control.get_env_info("my-project").is_running())
        control.stop_env("my-project")
        self.assertIs(control.get_env_info("my-project").status(), EnvStatus.Down)
        self.assertFalse(control.get_env_info("workshop").exists(), "it is bob's")

    def test_a_token_that_lacks_the_method_is_told_so(self):
        clients = client(self.create(tokenTemplate="Marketplace")["key"])
        self.assertEqual(clients.create_jps_client().get_engine_version(), "8.1")
        self.rejected(8202, clients.create_control_client().stop_env, "my-project")
        self.rejected(8202, clients.create_account_client().get_user_info)

    def test_a_token_says_whose_it_is(self):
        clients = client(self.create(tokenTemplate="Extended Access")["key"])
        self.assertEqual(clients.create_account_client().get_user_info().email(), "alice@example.com")

    def test_a_token_lives_through_the_day_that_a_person_picked(self):
        year = datetime.datetime.now().year + 1
        self.assertEqual(self.create(expiresAt=f"31-03-{year}")["expiresAt"], f"{year}-04-01 00:00:00")
        for bad in [f"31-04-{year}", f"1-1-{year}", f"{year}-03-31", f"{year}-03-31T00:00:00", "30d", "never", "01-01-2020"]:
            self.rejected(3, self.manage, "CreateToken", description="ci", expiresAt=bad)

    def test_tokens_are_managed_by_form(self):
        token = self.create(apiList="environment.control.StopEnv")
        self.manage("EditToken", id=token["id"], description="edited", tokenTemplate="IDE Plugins")
        again = self.manage("RegenerateToken", ids=token["id"])["token"]
        self.assertEqual(again["tokenTemplate"]["name"], "IDE Plugins")
        self.rejected(701, client(token["key"]).create_control_client().stop_env, "my-project")
        client(again["key"]).create_control_client().stop_env("my-project")
        (listed,) = self.by_session.execute(TOKENS + "GetTokens", ids=token["id"])["apiTokens"]
        self.assertEqual(listed["description"], "edited")
        self.assertNotIn("key", listed)
        self.manage("DeleteTokens", ids=token["id"])
        self.rejected(5, self.by_session.execute, TOKENS + "GetTokens", ids=token["id"])
        self.rejected(701, client(again["key"]).create_control_client().stop_env, "my-project")

    def test_what_is_left_out_comes_as_the_empty_text(self):
        token = self.create(expiresAt=None, apiList=None, tokenTemplate=None)
        self.assertEqual(token["apiListItems"], [])
        self.rejected(3, self.manage, "CreateToken", description=None)

    def test_an_expiry_is_cleared_by_an_empty_one(self):
        year = datetime.datetime.now().year + 1
        token = self.create(expiresAt=f"{year}-03-31 00:00:00")
        edited = self.manage("EditToken", id=token["id"], description="edited")["token"]
        self.assertEqual(edited["expiresAt"], token["expiresAt"], "it was not sent")
        edited = self.manage("EditToken", id=token["id"], expiresAt="")["token"]
        self.assertNotIn("expiresAt", edited)
        self.assertEqual(edited["description"], "edited")

    def test_a_token_manages_no_tokens(self):
        by_token = client(self.create(tokenTemplate="Extended Access")["key"]).api_client
        for method in ["CreateToken", "EditToken", "RegenerateToken", "DeleteTokens", "GetTokens"]:
            self.rejected(8202, by_token.execute, TOKENS + method, ids="*", description="x", password=PASSWORD)


main()
