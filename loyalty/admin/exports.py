"""What loyalty knows of a merchant that leaves: the files of its export."""

from functools import partial

from loyalty.queries import exports
from merchants.services import closing

for kind in exports.KINDS:
    closing.register(f"{kind}.csv", partial(exports.stream, kind))
