import peer

print(peer.add(2, 3))
