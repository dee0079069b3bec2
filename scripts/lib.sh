# Shared by the scripts of this folder; source it.

# quietly WHAT COMMAND...: runs the command without its output; says how long it took, or shows the
# end of what it printed.
quietly() {
  local what=$1 log start=$SECONDS
  shift
  log=$(mktemp)
  if "$@" >"$log" 2>&1; then
    [ $((SECONDS - start)) -lt 2 ] || echo "$what: $((SECONDS - start)) s" >&2
    rm -f "$log"
  else
    local status=$?
    tail -n "${QUIETLY_TAIL:-60}" "$log" >&2
    rm -f "$log"
    echo "$what: failed ($*)" >&2
    return "$status"
  fi
}

# build PRESET [TARGET...]: configures where needed and builds.
build() {
  local preset=$1
  shift
  if [ ! -f "build/$preset/build.ninja" ]; then
    quietly "configure $preset" cmake --preset "$preset"
  fi
  quietly "build $preset" cmake --build --preset "$preset" ${1:+--target "$@"}
}
