"""Scratch: live the journeys in the browser."""
import sys
sys.path.insert(0,'/work/main')
import pytest
from tests import test_journeys as tj
from tests.drivers import web, people
old=people.on
def on(channel, running):
    return {'form':web.OnForm,'chat':web.OnChat}[channel](running)
people.on=on
people.in_a_new_browser=lambda running, person: web.OnForm(running)
CASES=[(n,c) for n,t in tj.JOURNEYS.items() for c in ('chat','form') if c in tj.yaml.load((tj.Path(tj.__file__).parent/'journeys'/f'{n}.yaml').read_text(), tj._Yaml)['channels']]
@pytest.mark.parametrize(("name","channel"),CASES)
async def test_it(name,channel,tmp_path):
    await tj.test_a_journey_is_the_same_on_every_channel.__wrapped__(name,channel,tmp_path) if hasattr(tj.test_a_journey_is_the_same_on_every_channel,'__wrapped__') else await tj.test_a_journey_is_the_same_on_every_channel(name,channel,tmp_path)
