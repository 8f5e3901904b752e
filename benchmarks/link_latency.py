"""What link_latency.sh measures a link with, and how it compares.

link_latency.py answer                        for the next two, at port 7530
link_latency.py trip HOST                     round trip of small messages, milliseconds
link_latency.py rate HOST MBIT MTU            what a link of so many Mbit/s carries in bulk, Mbit/s
link_latency.py tell FOLDER MTU ROUNDS MBIT...
"""
import json, math, os, socket, sys, time

PORT, MESSAGES, SMALL, BULK_SECONDS = 7530, 400, 52, 0.4
ROW, RECORD, RECORD_MOST = 16, 22, 16384  # a row's header; what a TLS record adds; bytes of one
HEADERS = 14 + 20 + 32  # of a packet: Ethernet, IP, TCP with timestamps


def answer():
    """Who says how many bytes are to come is answered when they are there."""
    listener = socket.create_server(("", PORT))
    while True:
        s, _ = listener.accept()
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while len(head := s.recv(8, socket.MSG_WAITALL)) == 8:
            left = int.from_bytes(head, "little")
            while left > 0 and (data := s.recv(min(left, 1 << 16))):
                left -= len(data)
            s.sendall(b"x")


def call(host):
    for _ in range(100):
        try:
            s = socket.create_connection((host, PORT))
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return s
        except OSError:
            time.sleep(0.1)
    sys.exit("nobody answers at %s" % host)


def ask(s, size):
    """Milliseconds until so many bytes were received."""
    message = size.to_bytes(8, "little") + bytes(size)
    began = time.perf_counter()
    s.sendall(message)
    s.recv(1)
    return 1e3 * (time.perf_counter() - began)


def trip(host):
    s = call(host)
    print(sorted(ask(s, SMALL) for _ in range(MESSAGES))[MESSAGES // 4])


def rate(host, mbit, mtu):
    size = int(BULK_SECONDS * mbit * 1e6 / 8)
    print(8e-3 * on_packets(size + 8, mtu) / ask(call(host), size))


def on_packets(data, mtu):
    return data + HEADERS * math.ceil(data / (mtu - HEADERS + 14))


def on_wire(payload, mtu):
    """Bytes that the link carries for a row: header, TLS records, packets."""
    data = payload + ROW
    data += RECORD * math.ceil(data / RECORD_MOST)
    return on_packets(data, mtu)


def quartile(values):
    return sorted(values)[len(values) // 4]


def tell(folder, mtu, rounds, rates):
    whole = lambda name: json.load(open(os.path.join(folder, name)))
    lines = lambda name: [json.loads(line) for line in open(os.path.join(folder, name))]
    profile = [e["latency_ms"] for e in whole("profile")["exits"]]
    server = lines("server")[0]
    number = lambda name: float(open(os.path.join(folder, name)).read())
    trip = number("trip")
    exits = [image["exit"] for image in lines("here")]
    cut, payload, images = server["cut"], server["row_bytes"], len(exits)
    wire, sent = on_wire(payload, mtu), sum(k > cut for k in exits) / images
    calculating = sum(profile[k - 1] for k in exits) / images
    print("cut behind exit %d: %.1f %% go on, %d bytes of payload, %d on the wire; round trip %.3f ms; "
          "calculating %.3f ms an image" % (cut, 100 * sent, payload, wire, trip, calculating))
    worst = 0
    for rate in rates:
        carries = sorted(number("%s.%d.rate" % (rate, i + 1)) for i in range(rounds))[-1]
        predicted = calculating + sent * (8e-3 * wire / carries + trip)
        plain = calculating + sent * 8e-3 * payload / float(rate)
        runs = [lines("%s.%d" % (rate, i + 1)) for i in range(rounds)]
        for r in runs:
            assert [image["exit"] for image in r] == exits, "other exits than here"
            assert all(image["by"] == ("server" if image["exit"] > cut else "device") for image in r)
        each = [quartile([r[i]["latency_ms"] for r in runs]) for i in range(images)]
        measured = sum(each) / images
        off = predicted / measured - 1
        worst = max(worst, abs(off))
        means = sorted(sum(image["latency_ms"] for image in r) / images for r in runs)
        print("%6s Mbit/s (carries %.2f): predicted %.2f ms (payloads by the nominal rate: %.2f), measured %.2f: "
              "%+.1f %%; rounds %s" % (rate, carries, predicted, plain, measured, 100 * off,
                                       " ".join("%.2f" % m for m in means)))
    print("largest difference %.1f %%" % (100 * worst))


if sys.argv[1] == "answer":
    answer()
elif sys.argv[1] == "trip":
    trip(sys.argv[2])
elif sys.argv[1] == "rate":
    rate(sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
else:
    tell(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])
