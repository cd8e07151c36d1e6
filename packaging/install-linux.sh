#!/bin/sh
# Puts Parallax into a user's menu and lets a double click on a project open it. No root needed.
#
#   ./install-linux.sh FOLDER        the folder that PyInstaller made, as dist/parallax-0.1.0-cpu
#   ./install-linux.sh PROGRAM       a program that is installed already, as ~/.venv/bin/parallax
#   ./install-linux.sh --remove      takes away what this script has put there
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}
programs=$HOME/.local/bin
bundle=$HOME/.local/lib/parallax
icon=$here/../resources/icons/parallax.svg
[ -f "$icon" ] || icon=$here/parallax.svg
desktop=$data/applications/parallax.desktop
kind=$data/mime/packages/parallax-project.xml
app_icon=$data/icons/hicolor/scalable/apps/parallax.svg
file_icon=$data/icons/hicolor/scalable/mimetypes/application-x-parallax-project.svg
mark="# installed by install-linux.sh"

renew() {
    # What is not there has nothing to renew: the desktop looks again by itself at the next login.
    if command -v update-mime-database >/dev/null 2>&1; then
        update-mime-database "$data/mime" >/dev/null 2>&1 || :
    fi
    if command -v update-desktop-database >/dev/null 2>&1; then
        update-desktop-database "$data/applications" >/dev/null 2>&1 || :
    fi
    # Without a cache the folder itself is read: none is started here.
    if [ -f "$data/icons/hicolor/icon-theme.cache" ] &&
        command -v gtk-update-icon-cache >/dev/null 2>&1; then
        gtk-update-icon-cache -q -t "$data/icons/hicolor" >/dev/null 2>&1 || :
    fi
}

remove() {
    rm -f "$desktop" "$kind" "$app_icon" "$file_icon"
    if [ -f "$bundle/.installed-by-parallax" ]; then rm -rf "$bundle"; fi
    if [ -f "$programs/parallax" ] && grep -qxF "$mark" "$programs/parallax"; then
        rm -f "$programs/parallax"
    fi
    for chosen in "${XDG_CONFIG_HOME:-$HOME/.config}/mimeapps.list" \
        "$data/applications/mimeapps.list"; do
        if [ -f "$chosen" ]; then
            rest=$(grep -vxF "application/x-parallax-project=parallax.desktop" "$chosen" || :)
            printf '%s\n' "$rest" >"$chosen"
        fi
    done
    renew
}

case ${1-} in
--remove)
    remove
    echo "Parallax is removed from the menu; projects stay where they are."
    exit 0
    ;;
"" | -*)
    sed -n 's/^# \{0,1\}//; 2,6p' "$0" >&2
    exit 2
    ;;
esac

given=$1
if [ -d "$given" ] && [ -x "$given/parallax" ]; then
    if [ -e "$bundle" ] && [ ! -f "$bundle/.installed-by-parallax" ]; then
        echo "$bundle is there already and was not put there by this script: move it away." >&2
        exit 1
    fi
    mkdir -p "$(dirname "$bundle")"
    rm -rf "$bundle.new"
    cp -R "$given" "$bundle.new"
    : >"$bundle.new/.installed-by-parallax"
    rm -rf "$bundle"
    mv "$bundle.new" "$bundle"
    program=$bundle/parallax
elif [ -f "$given" ] && [ -x "$given" ]; then
    program=$(CDPATH='' cd -- "$(dirname -- "$given")" && pwd)/$(basename -- "$given")
else
    echo "$given is neither a folder with the program parallax nor a program." >&2
    exit 1
fi

mkdir -p "$programs" "$(dirname "$desktop")" "$(dirname "$kind")" \
    "$(dirname "$app_icon")" "$(dirname "$file_icon")"
starter=$programs/parallax
if [ "$program" != "$starter" ]; then
    if [ -e "$starter" ] && ! grep -qxF "$mark" "$starter"; then
        echo "$starter is there already: the menu will start it instead." >&2
    else
        quoted=$(printf '%s' "$program" | sed "s/'/'\\\\''/g")
        printf "#!/bin/sh\n%s\nexec '%s' \"\$@\"\n" "$mark" "$quoted" >"$starter"
        chmod 755 "$starter"
    fi
fi
# In quotes, with what the rules of desktop entries want escaped: a home folder may hold anything.
PARALLAX_EXEC=$(printf '%s' "$starter" | sed 's/[\\"`$]/\\&/g; s/\\/\\\\/g; s/%/%%/g')
export PARALLAX_EXEC
awk '/^Exec=/ { print "Exec=\"" ENVIRON["PARALLAX_EXEC"] "\" %f"; next }
    /^TryExec=/ { next }
    { print }' "$here/parallax.desktop" >"$desktop"
cp "$here/parallax-project.xml" "$kind"
cp "$icon" "$app_icon"
cp "$icon" "$file_icon"
renew
if command -v xdg-mime >/dev/null 2>&1; then
    xdg-mime default parallax.desktop application/x-parallax-project >/dev/null 2>&1 || :
fi
echo "Parallax is in the menu, and a double click on a project opens it."
case ":$PATH:" in
*":$programs:"*) ;;
*) echo "In a terminal: $starter (its folder is not in PATH)" ;;
esac
