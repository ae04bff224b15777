# Sourced by tests/run, bench/run and .ci/run: finds and installs what is missing on a Debian machine.
# Needs nothing but bash, coreutils, grep, sed, dpkg and apt.

say() { printf '%s\n' "$*" >&2; }
die() {
  say "$script: $*"
  exit 1
}
usage_error() {
  say "$script: $*"
  usage >&2
  exit 2
}

apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 "$@"; }

installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# need PACKAGE…: installs those that are missing; says nothing and calls no apt when there are none.
need() {
  local package missing=()
  for package in "$@"; do
    installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  ((EUID == 0)) || die "missing packages: ${missing[*]}; run as root once, or: apt-get install ${missing[*]}"
  say "$script: installing ${missing[*]}"
  local log
  log=$(mktemp)
  if ! { apt_get update && apt_get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    die "cannot install ${missing[*]}"
  fi
  rm -f "$log"
}

# Adds Debian's backports to apt, from the mirror that this machine already uses for its own release.
need_backports() {
  local codename targets mirror
  codename=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
  backports_targets() { apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages'; }
  targets=$(backports_targets)
  if grep -q "^$codename-backports main " <<<"$targets"; then return 0; fi
  ((EUID == 0)) || die "$codename-backports is not among apt's sources; run as root once"
  if ! grep -q "^$codename main " <<<"$targets"; then
    apt_get update >/dev/null || die "apt-get update failed"
    targets=$(backports_targets)
  fi
  if grep -q "^$codename-backports main " <<<"$targets"; then return 0; fi
  mirror=$(sed -n "s/^$codename main //p" <<<"$targets" | head -n 1)
  [[ $mirror ]] || die "apt has no source for $codename main, whose mirror $codename-backports would be taken from"
  say "$script: adding $codename-backports to apt's sources"
  printf 'deb %s %s-backports main\n' "$mirror" "$codename" >"/etc/apt/sources.list.d/$codename-backports.list"
}

# aarch64's Boost.Context and jemalloc, unpacked into the folder $1. The machine's own packages and its list of
# architectures stay as they are: libjemalloc-dev:arm64 would displace the native one.
need_aarch64_root() {
  local root=$1
  [[ -e $root/complete ]] && return 0
  say "$script: fetching aarch64's libraries into $root"
  rm -rf "$root"
  mkdir -p "$root"/apt/{lists,cache/archives}/partial
  local options=(-qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o APT::Sandbox::User=root
    -o "Dir::State::lists=$root/apt/lists" -o "Dir::Cache=$root/apt/cache" -o Dir::State::status=/dev/null)
  (
    cd "$root/apt" || exit 1
    apt-get "${options[@]}" update || say "$script: some of apt's sources have nothing for arm64"
    apt-get "${options[@]}" download libboost-context1.74-dev libboost-context1.74.0 libjemalloc-dev libjemalloc2
  ) || die "cannot fetch aarch64's libraries"
  local package
  for package in "$root"/apt/*.deb; do
    dpkg -x "$package" "$root" || die "cannot unpack $package"
  done
  rm -rf "$root/apt" "${root:?}"/usr/{include,share}
  touch "$root/complete"
}

elapsed() { printf '%d:%02d' $(((SECONDS - $1) / 60)) $(((SECONDS - $1) % 60)); }
