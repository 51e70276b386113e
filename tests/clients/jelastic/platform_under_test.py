"""The platform under test, and people who sign in to it."""

import os
import unittest

import requests

URL = os.environ["HALLPASS_URL"]

PASSWORDS = {"alice": "wonderland", "bob": "builder"}


def sign_in(person):
    """A session of that person's, got as the platform's own documentation says."""
    parameters = {"login": person, "password": PASSWORDS[person]}
    answer = requests.get(f"{URL}/1.0/users/authentication/rest/signin", params=parameters, timeout=30).json()
    assert answer["result"] == 0, answer
    return answer["session"]


def status_of(environment, session):
    """How that environment is: 1 is running, 2 is down."""
    parameters = {"envName": environment, "session": session}
    answer = requests.get(f"{URL}/1.0/environment/control/rest/getenvinfo", params=parameters, timeout=30).json()
    assert answer["result"] == 0, answer
    return answer["env"]["status"]


def main():
    # jelastic-client closes no connection, which Python would tell of at length.
    unittest.main(verbosity=2, warnings="ignore")
