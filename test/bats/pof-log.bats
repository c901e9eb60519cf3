# SPDX-License-Identifier: Apache-2.0
load ../helper

setup() {
    cd "$BATS_TEST_TMPDIR"
}

@test "a run leaves received, started, ended and sent, in that order, and its status" {
    s=0; pof-log --flow flow3 --received flow2 --platform MP --reference S1 --log e.jsonl -- sh -c 'exit 3' || s=$?
    [ $s = 3 ]
    [ "$(jq -r '.type' e.jsonl | tr '\n' ' ')" = "message_received start_execution end_execution message_sent " ]
    [ "$(jq -r '.flow' e.jsonl | tr '\n' ' ')" = "flow2 flow3 flow3 flow3 " ]
    jq -e -s '.[2].cpu_us >= 0 and .[2].rss_kib > 0' e.jsonl
}

@test "streams are those of the command" {
    [ "$(echo hello | pof-log --flow flow1 --reference x --log e.jsonl -- tr a-z A-Z)" = HELLO ]
}

@test "a command that dies of a signal is 128 and the signal" {
    s=0; pof-log --flow flow1 --reference x --log e.jsonl -- sh -c 'kill -9 $$' || s=$?
    [ $s = 137 ]
}

@test "a command that is not there is 66, and nothing is logged" {
    s=0; pof-log --flow flow1 --reference x --log e.jsonl -- no-such-command 2>err || s=$?
    [ $s = 66 ]
    [ ! -e e.jsonl ]
    grep -q no-such-command err
}

@test "two writers do not mix their lines" {
    for i in 1 2 3 4 5 6 7 8; do pof-log --flow flow1 --reference r$i --log e.jsonl -- true & done
    wait
    [ "$(jq -r .type e.jsonl | wc -l)" = 24 ]
}

@test "a log that cannot be written is an error" {
    s=0; pof-log --flow flow1 --reference x --log /nonexistent/e.jsonl -- true 2>err || s=$?
    [ $s = 73 ]
}
