"""Devices that send rows as fast as they are answered, and calculate nothing (serve_devices.sh).

serve_load.py SERVER.out RUN DEVICES SECONDS ROWS [hostile]: ROWS under way each. The hello is that of a real
device, which calls us first.
"""
import json, os, select, socket, struct, subprocess, sys, time


def hello_of(run):
    listener = socket.create_server(("127.0.0.1", 0))
    device = subprocess.Popen([os.environ["EEX"], "infer", run, "--split", "test", "--policy", "none", "--timeout",
                               "5000", "--remote", "127.0.0.1:%d" % listener.getsockname()[1]],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    s, _ = listener.accept()
    hello = b""
    while len(hello) < 96:
        hello += s.recv(96 - len(hello))
    device.kill()
    device.wait()
    return hello


def main():
    facts = json.loads(open(sys.argv[1]).readline())
    run, devices, seconds, under_way = sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
    hello = hello_of(run)
    row = struct.pack("<IB3xQ", facts["row_bytes"] + 8, 4, 0) + bytes(facts["row_bytes"])

    def welcome():
        s = socket.create_connection(("127.0.0.1", facts["port"]))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.sendall(hello)
        assert s.recv(16)[4] == 2, "not welcome"
        return s

    good = [welcome() for _ in range(devices)]
    sent, waiting, times = {}, {}, []
    flood, stall = (welcome(), welcome()) if "hostile" in sys.argv else (None, None)
    if stall:
        stall.sendall(row[:20])
        flood.setblocking(False)
    poll, by = select.poll(), {}
    for s in good:
        poll.register(s, select.POLLIN)
        by[s.fileno()], waiting[s.fileno()] = s, b""
        sent[s.fileno()] = [time.perf_counter()] * under_way
        s.sendall(row * under_way)
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        if flood:
            try:
                flood.send(row)
            except BlockingIOError:
                pass
            except OSError:  # sent away: it comes again
                flood = welcome()
                flood.setblocking(False)
        for fd, _ in poll.poll(100):
            data = waiting[fd] + by[fd].recv(65536)
            count, now = len(data) // 36, time.perf_counter()
            waiting[fd] = data[36 * count:]
            times += [now - t for t in sent[fd][:count]]
            sent[fd] = sent[fd][count:] + [now] * count
            by[fd].sendall(row * count)
    times.sort()
    at = lambda q: 1e3 * times[min(len(times) - 1, int(q * len(times)))]
    print("%d rows, %.0f a second, p50 %.2f ms, p99 %.2f ms" % (len(times), len(times) / seconds, at(0.5), at(0.99)))


main()
