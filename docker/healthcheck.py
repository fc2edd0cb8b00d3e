"""A container's health: ``python healthcheck.py URL`` fails unless URL answers 200."""

import os
import sys
from urllib.request import Request, urlopen

request = Request(sys.argv[1], headers={"Authorization": f"Bearer {os.environ.get('RAY_AUTH_TOKEN', '')}"})
urlopen(request, timeout=5)
