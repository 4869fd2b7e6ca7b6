// Thirty frames of one picture; then it ends by itself.
import QtQuick
import QtQuick.Window

Window {
    id: window
    property int frames: 0
    width: 256
    height: 192
    visible: true
    color: "#204060"

    Rectangle {
        anchors.centerIn: parent
        width: 120
        height: 80
        radius: 12
        color: "#f0c040"
        rotation: 30
        Rectangle { x: 20; y: 20; width: 40; height: 40; color: "#c02030" }
    }
    onFrameSwapped: {
        frames += 1;
        if (frames >= 30) {
            Qt.quit();
        }
        window.update();
    }
}
