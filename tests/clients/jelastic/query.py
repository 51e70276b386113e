"""py-jelastic: the credential, the password and everything else in the query."""

import datetime
import unittest

from jelastic import Jelastic
from jelastic.api.exceptions import JelasticApiError, JelasticPermissionError, JelasticResourceNotFound
from platform_under_test import PASSWORDS, URL, main, sign_in, status_of

PASSWORD = PASSWORDS["alice"]
STOP = "environment.control.StopEnv"
LOOK = "environment.control.GetEnvInfo"
NEXT_YEAR = datetime.datetime.now().year + 1


def calls(credential):
    return Jelastic(f"{URL}/", token=credential)


class Tokens(unittest.TestCase):
    def setUp(self):
        self.session = sign_in("alice")
        self.manage = calls(self.session).users.Authentication
        self.manage.DeleteTokens("*", PASSWORD)
        calls(self.session).environment.Control.StartEnv("my-project")

    def create(self, description="ci", **others):
        return self.manage.CreateToken(description, PASSWORD, **others)["token"]

    def only(self):
        (token,) = self.manage.GetTokens()["apiTokens"]
        return token

    def rejected(self, sentence, call, *arguments, kind=JelasticApiError, **named):
        with self.assertRaises(kind) as raised:
            call(*arguments, **named)
        self.assertIn(sentence, str(raised.exception))

    def test_a_token_stops_an_environment(self):
        key = self.create(api_list=STOP)["key"]
        answer = calls(key).environment.Control.StopEnv("my-project")
        self.assertEqual(answer["result"], 0)
        self.assertEqual(status_of("my-project", self.session), 2)
        self.assertRegex(self.only()["lastUsed"], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")

    def test_a_token_that_lacks_the_method_is_told_so(self):
        key = self.create(api_list=LOOK)["key"]
        control = calls(key).environment.Control
        self.assertEqual(control.GetEnvInfo("my-project")["env"]["status"], 1)
        self.rejected("environment.control.StopEnv", control.StopEnv, "my-project", kind=JelasticPermissionError)
        self.assertEqual(status_of("my-project", self.session), 1)

    def test_a_token_without_methods_may_do_nothing(self):
        control = calls(self.create()["key"]).environment.Control
        self.rejected("Permission denied", control.GetEnvInfo, "my-project", kind=JelasticPermissionError)

    def test_a_token_reaches_its_owners_environments_alone(self):
        control = calls(self.create(token_template="Extended Access")["key"]).environment.Control
        self.rejected("no such environment", control.StopEnv, "workshop", kind=JelasticResourceNotFound)

    def test_a_template_is_expanded_when_the_token_is_made(self):
        templates = {one["name"]: one for one in self.manage.GetTokenTemplates()["templates"]}
        self.assertEqual(list(templates), ["Extended Access", "IDE Plugins", "Marketplace", "Maven Plugin"])
        for name, template in templates.items():
            token = self.create(name, token_template=name)
            self.assertEqual(token["apiListItems"], template["apiListItems"])
            self.assertEqual(token["tokenTemplate"], template)
        self.assertTrue(templates["IDE Plugins"]["apiListItems"])

    def test_the_key_is_shown_once(self):
        token = self.create(api_list=f"{STOP},{LOOK}", expires_at=datetime.datetime(NEXT_YEAR, 3, 31, 12, 30))
        self.assertTrue(token.pop("key").startswith("jel_"))
        self.assertIsInstance(token["id"], int)
        self.assertEqual(token["expiresAt"], f"{NEXT_YEAR}-03-31 12:30:00")
        self.assertEqual(token["apiListItems"], [LOOK, STOP])
        self.assertEqual(self.only(), token)

    def test_a_token_is_edited(self):
        token = self.create("deploy", token_template="Maven Plugin")
        self.manage.EditToken(token["id"], PASSWORD, description="build")
        self.assertEqual(self.only()["tokenTemplate"]["name"], "Maven Plugin")
        self.manage.EditToken(
            token["id"], PASSWORD, api_list=STOP, expires_at=datetime.datetime(NEXT_YEAR, 1, 2)
        )
        edited = self.only()
        self.assertEqual(edited["description"], "build")
        self.assertEqual(edited["apiListItems"], [STOP])
        self.assertEqual(edited["expiresAt"], f"{NEXT_YEAR}-01-02 00:00:00")
        self.assertNotIn("tokenTemplate", edited, "it is custom now")
        self.assertEqual(calls(token["key"]).environment.Control.StopEnv("my-project")["result"], 0)
        look = calls(token["key"]).environment.Control.GetEnvInfo
        self.rejected("Permission denied", look, "my-project", kind=JelasticPermissionError)

    def test_a_token_is_copied_by_its_parameters(self):
        self.create("original", api_list=f"{STOP},{LOOK}", expires_at=datetime.datetime(NEXT_YEAR, 3, 31))
        original = self.only()
        copy = self.create(
            "copy",
            api_list=",".join(original["apiListItems"]),
            expires_at=datetime.datetime.fromisoformat(original["expiresAt"]),
        )
        self.assertNotEqual(copy["id"], original["id"])
        for member in ["apiListItems", "expiresAt"]:
            self.assertEqual(copy[member], original[member])

    def test_a_regenerated_token_has_another_key_and_keeps_the_rest(self):
        token = self.create(api_list=STOP, expires_at=datetime.datetime(NEXT_YEAR, 3, 31))
        again = self.manage.RegenerateToken(token["id"], PASSWORD)["token"]
        self.rejected("authentication failed", calls(token["key"]).environment.Control.StopEnv, "my-project")
        self.assertEqual(calls(again["key"]).environment.Control.StopEnv("my-project")["result"], 0)
        self.assertNotEqual(again.pop("key"), token.pop("key"))
        self.assertEqual(again, token)

    def test_several_tokens_are_removed_at_once_or_none(self):
        first, second, third = [self.create(name, api_list=LOOK) for name in "abc"]
        delete = self.manage.DeleteTokens
        self.rejected("no such token", delete, f"{first['id']};17", PASSWORD, kind=JelasticResourceNotFound)
        self.assertEqual(len(self.manage.GetTokens()["apiTokens"]), 3)
        delete(f"{first['id']};{third['id']}", PASSWORD)
        self.assertEqual(self.only()["id"], second["id"])
        look = calls(first["key"]).environment.Control.GetEnvInfo
        self.rejected("authentication failed", look, "my-project")
        delete("*", PASSWORD)
        self.assertEqual(self.manage.GetTokens()["apiTokens"], [])

    def test_tokens_are_listed_by_their_ids(self):
        tokens = [self.create(name) for name in "abc"]
        asked = [str(tokens[2]["id"]), str(tokens[0]["id"])]
        found = self.manage.GetTokens(asked)["apiTokens"]
        self.assertEqual([one["description"] for one in found], ["c", "a"])

    def test_the_methods_there_are_can_be_searched(self):
        found = self.manage.GetTokenApiList(sort_param="stopenv")["tokenPermissions"]
        self.assertEqual([one["name"] for one in found], [STOP])
        self.assertEqual(
            found[0]["docs"], "https://docs.jelastic.com/api/#!/api/environment.Control-method-StopEnv"
        )
        self.assertGreater(len(self.manage.GetTokenApiList()["tokenPermissions"]), 1)

    def test_a_wrong_password_changes_nothing(self):
        token = self.create()
        before = self.only()
        for wrong in ["builder", token["key"]]:
            rejected = "authentication failed"
            self.rejected(rejected, self.manage.CreateToken, "x", wrong)
            self.rejected(rejected, self.manage.EditToken, token["id"], wrong, description="x")
        self.create("a right one starts the count again")
        for wrong in ["builder", token["key"]]:
            self.rejected(rejected, self.manage.RegenerateToken, token["id"], wrong)
            self.rejected(rejected, self.manage.DeleteTokens, "*", wrong)
        self.assertEqual([one for one in self.manage.GetTokens()["apiTokens"] if one["id"] == token["id"]], [before])

    def test_a_script_that_has_just_signed_in_needs_no_password(self):
        token = self.manage.CreateToken("ci", api_list=STOP)["token"]
        self.manage.EditToken(token["id"], description="edited")
        again = self.manage.RegenerateToken(token["id"])["token"]
        self.assertEqual(again["description"], "edited")
        self.manage.DeleteTokens(str(token["id"]))
        self.assertEqual(self.manage.GetTokens()["apiTokens"], [])

    def test_answers_have_the_members_of_the_models(self):
        token = self.create(token_template="Maven Plugin")
        listed = self.manage.GetTokens()
        self.assertEqual((listed["result"], listed["source"]), (0, "JEL"))
        self.assertIs(self.only()["isSystem"], False)
        self.assertIs(token["tokenTemplate"]["isSystem"], True)
        for one in self.manage.GetTokenTemplates()["templates"]:
            self.assertLessEqual({"id", "name", "apiListItems", "isSystem"}, set(one))

    def test_what_is_no_method_is_not_granted(self):
        for bad in ["environment.control", "environment.control.*", "*", "x.y.Z", [STOP, LOOK]]:
            self.rejected("apiList: ", self.manage.CreateToken, "ci", PASSWORD, api_list=bad)
        self.rejected("tokenTemplate: ", self.manage.CreateToken, "ci", PASSWORD, token_template="Root")
        both = {"token_template": "Marketplace", "api_list": STOP}
        self.rejected("one or the other", self.manage.CreateToken, "ci", PASSWORD, **both)
        past = datetime.datetime(2020, 1, 1)
        self.rejected("expiresAt: ", self.manage.CreateToken, "ci", PASSWORD, expires_at=past)
        self.assertEqual(self.manage.GetTokens()["apiTokens"], [])

    def test_a_token_manages_no_tokens(self):
        token = self.create(token_template="Extended Access")
        by_token = calls(token["key"]).users.Authentication
        denied = {"kind": JelasticPermissionError}
        self.rejected("CreateToken", by_token.CreateToken, "x", PASSWORD, **denied)
        self.rejected("EditToken", by_token.EditToken, token["id"], PASSWORD, **denied)
        self.rejected("RegenerateToken", by_token.RegenerateToken, token["id"], PASSWORD, **denied)
        self.rejected("DeleteTokens", by_token.DeleteTokens, "*", PASSWORD, **denied)
        self.rejected("GetTokens", by_token.GetTokens, **denied)
        self.rejected("GetTokenTemplates", by_token.GetTokenTemplates, **denied)
        self.rejected("GetTokenApiList", by_token.GetTokenApiList, **denied)

    def test_anothers_tokens_do_not_exist(self):
        token = self.create(api_list=LOOK)
        bob = calls(sign_in("bob")).users.Authentication
        missing = {"kind": JelasticResourceNotFound}
        self.assertEqual(bob.GetTokens()["apiTokens"], [])
        self.rejected("no such token", bob.GetTokens, [str(token["id"])], **missing)
        self.rejected("no such token", bob.EditToken, token["id"], PASSWORDS["bob"], **missing)
        self.rejected("no such token", bob.RegenerateToken, token["id"], PASSWORDS["bob"], **missing)
        self.rejected("no such token", bob.DeleteTokens, token["id"], PASSWORDS["bob"], **missing)
        bob.DeleteTokens("*", PASSWORDS["bob"])
        self.assertEqual(calls(token["key"]).environment.Control.GetEnvInfo("my-project")["result"], 0)

    def test_signing_out_ends_a_session_and_no_token(self):
        key = self.create(api_list=LOOK)["key"]
        self.assertEqual(calls(key).users.Authentication.Signout()["result"], 0)
        self.assertEqual(calls(key).environment.Control.GetEnvInfo("my-project")["result"], 0)
        self.assertEqual(self.manage.Signout()["result"], 0)
        self.rejected("authentication failed", self.manage.GetTokens)

    def test_people_sign_in_by_their_password(self):
        stranger = calls(None).users.Authentication
        session = stranger.Signin("alice", PASSWORD)["session"]
        self.assertEqual(calls(session).environment.Control.StopEnv("my-project")["result"], 0)
        for name, password in [("alice", "builder"), ("mallory", PASSWORD)]:
            self.rejected("authentication failed", stranger.Signin, name, password)


main()
